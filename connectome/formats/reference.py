"""Annotated connectomes to score against or train on, whatever they are kept in."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import VolumeNotFoundError
from connectome.geometry import Box, Grid
from connectome.records import ReferenceSynapse

BACKGROUND = 2**64 - 1
IGNORE = 2**64 - 2


class Reference(Protocol):
    """An annotated connectome: cleft labels on a grid, and synapses with partners.

    A label is a cleft's id, `BACKGROUND`, or `IGNORE` where nobody knows; 0 is background too, unless a synapse has the
    cleft id 0.
    """

    @property
    def grid(self) -> Grid:
        """Where the cleft labels lie."""

    def read_clefts(self, box: Box) -> NDArray[np.uint64]:
        """The labels of `box`, uint64 (z, y, x); `BACKGROUND` beyond the border."""

    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses, ascending by cleft id, then partners; centroids in voxels of `grid`.

        Raises:
            ReferenceDataError: synapses, partners or clefts are missing or contradict each other.
        """


def open_reference(path: str | Path) -> Reference:
    """Open a reference: a CREMI HDF5 file, or a folder with clefts.zarr and annotations.csv (import or phantom).

    Raises:
        VolumeNotFoundError: nothing is there. VolumeFormatError: the file isn't HDF5.
        ReferenceDataError: the file or folder has no annotated clefts.
    """
    from connectome.formats.cremi_reference import CremiReference
    from connectome.formats.table_reference import TableReference

    place = Path(path).expanduser()
    if not place.exists():
        raise VolumeNotFoundError(f"no reference at {place}: the path doesn't exist")
    return TableReference.in_folder(place) if place.is_dir() else CremiReference(place)


def open_annotations(clefts: str | Path, table: Path) -> Reference:
    """Open a reference whose cleft labels and table of synapses lie anywhere.

    Raises:
        VolumeNotFoundError, VolumeFormatError: there are no labels. ReferenceDataError: no table, or labels that aren't
            integers.
    """
    from connectome.formats.table_reference import TableReference

    return TableReference(clefts, table)
