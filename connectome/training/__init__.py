"""Samples, augmentation and the loop that trains the networks."""
