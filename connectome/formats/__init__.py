"""Formats that TensorStore can't read, turned into volumes: CREMI HDF5 and image stacks; and annotated references."""
