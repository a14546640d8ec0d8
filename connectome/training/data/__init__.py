"""Sources of training samples: annotated volumes and phantoms rendered as they are read."""
