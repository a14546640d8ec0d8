"""Volumes on voxel grids: opened, created, read on a working grid. The only package that knows TensorStore."""
