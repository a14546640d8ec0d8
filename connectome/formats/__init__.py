"""What TensorStore can't read, turned into volumes: CREMI HDF5 and image stacks; and annotated references."""

from connectome.formats.reference import BACKGROUND, IGNORE, Reference, open_annotations, open_reference

__all__ = ["BACKGROUND", "IGNORE", "Reference", "open_annotations", "open_reference"]
