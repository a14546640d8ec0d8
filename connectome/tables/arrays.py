"""Arrow columns as numpy arrays, whole numbers exactly also where some are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def numpy_column(column: pa.Array) -> NDArray[Any]:
    """A column of numbers or booleans: an array of its own type, masked where the column is NULL."""
    if column.null_count == 0:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    values = pc.fill_null(column, False if pa.types.is_boolean(column.type) else 0)
    missing = pc.is_null(column).to_numpy(zero_copy_only=False)
    return np.ma.MaskedArray(values.to_numpy(zero_copy_only=False), missing)
