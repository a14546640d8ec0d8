"""Training samples: patches, targets, augmentation."""
