"""connectome: electron-microscopy volumes in, queryable connectomes out."""

__version__ = "0.1.0"
