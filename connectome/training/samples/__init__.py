"""What networks are shown: patches, targets, augmentation."""
