"""Batches of synapses for tests of tables: any values that the store can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from connectome.tables.column_sets import OURS, SYNAPSE_SCHEMA
from connectome.tables.fields import FieldKind

LARGEST = 2**63 - 1
ids = st.one_of(st.integers(1, LARGEST), st.sampled_from([1, 2**53 + 1, LARGEST - 1, LARGEST]))
positions = st.floats(-1e7, 1e7, allow_nan=False)
scores = st.floats(0, 1, width=32)
NEEDED = ("x_nm", "y_nm", "z_nm")


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Rows by column; what is left out is NULL."""
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in SYNAPSE_SCHEMA]
    return pa.record_batch(columns, schema=SYNAPSE_SCHEMA)


@st.composite
def synapse_rows(draw: st.DrawFn, full: bool = False) -> list[dict[str, Any]]:
    """Rows of different clefts; optional values may be missing unless `full`."""
    clefts = draw(st.lists(ids, min_size=1, max_size=8, unique=True))
    kinds = {
        FieldKind.ID: ids,
        FieldKind.WHOLE: st.integers(0, 2**50),
        FieldKind.SCORE: scores,
        FieldKind.POSITION: positions,
    }
    rows = []
    for cleft in clefts:
        row: dict[str, Any] = {"cleft_id": cleft, "number": 0}
        for field in OURS.fields:
            if field.ours in row:
                continue
            values = kinds[field.kind]
            needed = full or field.kind is FieldKind.ID or field.ours in NEEDED
            row[field.ours] = draw(values if needed else st.none() | values)
        rows.append(row)
    return rows


def example_rows(count: int, seed: int = 3) -> list[dict[str, Any]]:
    """Rows among few neurons with large ids, all values given."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        pre, post = random.integers(1, 6, 2)
        row: dict[str, Any] = {
            "cleft_id": LARGEST - number,
            "pre_segment_id": LARGEST - int(pre),
            "post_segment_id": LARGEST - int(post),
            "number": 0,
            "size_voxels": 100 + number,
        }
        for field in OURS.fields:
            if field.kind is FieldKind.SCORE:
                row[field.ours] = float(np.float32(random.random()))
            elif field.kind is FieldKind.POSITION:
                row[field.ours] = float(random.integers(0, 100_000)) / 4
        rows.append(row)
    return rows
