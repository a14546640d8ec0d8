"""Labels that were stored as floats or booleans: whole numbers again, where they are exact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError

UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)


def whole_dtype(name: str, dtype: np.dtype[Any], parts: Iterable[NDArray[Any]]) -> np.dtype[Any]:
    """The data type in which voxels are kept: floats that are whole numbers, and booleans, become unsigned integers.

    Args:
        name: of the volume, for messages.
        dtype: of its voxels.
        parts: all of them; read only where the data type doesn't settle it, and no further than needed.

    Returns:
        The smallest unsigned integer that holds all, or `dtype`, where some are fractions or below 0.

    Raises:
        DtypeError: whole numbers so large that the float can't tell neighbours apart: labels may have been mixed up.
    """
    if dtype.kind == "b":
        return np.dtype(UNSIGNED[0])
    if dtype.kind != "f":
        return dtype
    largest = 0.0
    for part in parts:
        if not (np.isfinite(part).all() and (part >= 0).all() and (part == np.floor(part)).all()):
            return dtype
        largest = max(largest, float(part.max(initial=0)))
    exact = 2.0 ** (np.finfo(dtype).nmant + 1)
    if largest >= exact:
        raise DtypeError(
            f"{name} holds whole numbers up to {largest:.0f}, which {dtype} doesn't tell apart from {exact:.0f} on: "
            "write them as integers"
        )
    return np.dtype(next(unsigned for unsigned in UNSIGNED if largest <= np.iinfo(unsigned).max))
