"""Batches of synapses as the rows of the tables cleft and synapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectome.errors import TableError
from connectome.tables.arrays import numpy_column

SYNAPSES_A_CLEFT = 2**15  # synapse.number is a SMALLINT
Rows = dict[str, NDArray[Any]]
CLEFT_COLUMNS = (
    "cleft_id",
    "size_voxels",
    "x_nm",
    "y_nm",
    "z_nm",
    "start_x_nm",
    "start_y_nm",
    "start_z_nm",
    "stop_x_nm",
    "stop_y_nm",
    "stop_z_nm",
    "mean_score",
    "max_score",
)
SYNAPSE_COLUMNS = (
    "cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "source_id",
    "pre_score",
    "post_score",
    "confidence",
    "pre_x_nm",
    "pre_y_nm",
    "pre_z_nm",
    "post_x_nm",
    "post_y_nm",
    "post_z_nm",
    "pre_supervoxel_id",
    "post_supervoxel_id",
)


@dataclass(kw_only=True)
class RowMaker:
    """Makes rows of batches of SYNAPSE_SCHEMA, one after the other; synapses of one cleft follow one another.

    Attributes:
        clefts: how many clefts there were so far.
    """

    clefts: int = 0
    _last_id: int = 0
    _last_number: int = -1

    def rows(self, batch: pa.RecordBatch) -> tuple[Rows, Rows]:
        """The rows of cleft and of synapse for a batch that isn't empty.

        Synapses keep their number in their cleft where the batch has all numbers; else they are counted.

        Raises:
            TableError: a cleft has more synapses than can be numbered, or their numbers don't ascend.
        """
        given = batch["number"]
        begins, numbers = self._numbers(batch["cleft_id"].to_numpy(), None if given.null_count else given.to_numpy())
        clefts = batch.filter(pa.array(begins))
        self.clefts += clefts.num_rows
        return _columns(clefts, CLEFT_COLUMNS), {**_columns(batch, SYNAPSE_COLUMNS), "number": numbers}

    def _numbers(
        self, cleft_ids: NDArray[np.int64], given: NDArray[np.integer] | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """True if each row begins a cleft (bool), and its number in its cleft (int64): the given one, or counted."""
        begins = np.empty(len(cleft_ids), bool)
        begins[0] = cleft_ids[0] != self._last_id
        begins[1:] = cleft_ids[1:] != cleft_ids[:-1]
        places = np.arange(len(cleft_ids))
        first = np.maximum.accumulate(np.where(begins, places, -1))
        numbers = np.where(first >= 0, places - first, places + self._last_number + 1)
        if given is not None:
            before = np.concatenate([[self._last_number], given[:-1]])
            wrong = np.flatnonzero(given <= np.where(begins, -1, before))
            if len(wrong):
                raise TableError(
                    f"cleft {int(cleft_ids[wrong[0]])}: the numbers of its synapses must ascend from 0: correct the "
                    "column number, or leave it out"
                )
            numbers = given.astype(np.int64)
        if numbers.max() >= SYNAPSES_A_CLEFT:
            crowded = int(cleft_ids[numbers.argmax()])
            raise TableError(
                f"cleft {crowded} has more than {SYNAPSES_A_CLEFT:,} synapses: does its column hold the ids of clefts?"
            )
        self._last_id, self._last_number = int(cleft_ids[-1]), int(numbers[-1])
        return begins, numbers


def _columns(batch: pa.RecordBatch, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Columns of a batch as the store takes them: points that are unknown lie at the centre."""
    columns = {}
    for name in names:
        column = batch[name]
        if name.startswith(("pre_", "post_")) and name.endswith("_nm"):
            column = pc.coalesce(column, batch[name.partition("_")[2]])
        elif name == "size_voxels":
            column = pc.if_else(pc.greater(column, 0), column, pa.scalar(None, column.type))
        columns[name] = numpy_column(column)
    return columns
