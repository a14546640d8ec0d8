"""Trained checkpoints that ship, each with its model card."""
