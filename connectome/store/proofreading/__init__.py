"""Versions of roots, and annotations of neurons."""
