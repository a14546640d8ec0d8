"""Segments as they are read: ids that PostgreSQL's BIGINT can't hold are refused, wherever they are met."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import SegmentIdError
from connectome.geometry import Box
from connectome.records import LARGEST_ID
from connectome.volumes.working_grid import GridView


def may_hold_others(dtype: np.dtype[Any]) -> bool:
    """Whether a data type has values that are no segment ids here: below 0, or 2^63 and more."""
    return dtype.kind == "i" or dtype.itemsize == 8


def read_segments(segmentation: GridView, box: Box) -> NDArray[Any]:
    """The segment ids (z, y, x) of a box.

    Raises:
        SegmentIdError: an id of 2^63 or more, or below 0. StorageError: a chunk can't be read.
    """
    ids = segmentation.read(box)
    if may_hold_others(ids.dtype):
        largest, smallest = int(ids.max(initial=0)), int(ids.min(initial=0))
        if largest > LARGEST_ID or smallest < 0:
            wrong = largest if largest > LARGEST_ID else smallest
            raise SegmentIdError(
                f"segmentation {segmentation.volume.url} holds the id {wrong} in the box {box}; ids must be from 0 to "
                "2^63 - 1: relabel it"
            )
    return ids
