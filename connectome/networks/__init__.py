"""Torch modules and their checkpoints; knows no volumes and no records."""
