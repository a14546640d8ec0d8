"""Names and paths become checkpoints: the registry, model cards, confidence models, assigners."""
