"""Where training samples come from: annotated volumes and phantoms rendered as they are read."""
