"""Rows that a table marks as no longer valid: CAVE's columns valid, deleted, superceded_id, read alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

VALIDITY = ("valid", "deleted", "superceded_id")
NO = pa.array(["", "f", "false", "0", "0.0", "no", "n", "nan", "nat", "none", "null", "<na>"])
UNTOLD = pa.array(["", "nan", "nat", "none", "null", "<na>"])


def still_valid(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.Array:
    """True if each row is still valid (bool, never NULL).

    `valid` retires a row by saying no; `deleted` (a time or yes) and `superceded_id` (the row that replaced it) retire
    it by saying anything but no. Texts, booleans, numbers and times all count; what is missing retires nothing.

    Args:
        batch: rows with those columns.
        columns: which of VALIDITY it has.
    """
    kept = pa.repeat(True, batch.num_rows)
    for name in columns:
        words = _words(batch[name])
        if name == "valid":
            says_no = pc.and_(pc.is_in(words, NO), pc.invert(pc.is_in(words, UNTOLD)))
            kept = pc.and_(kept, pc.invert(says_no))
        else:
            kept = pc.and_(kept, pc.is_in(words, NO))
    return kept


def _words(column: pa.Array) -> pa.Array:
    """The values as texts in small letters; NULL is empty."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), "")))
