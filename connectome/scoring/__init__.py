"""Runs and models against references."""
