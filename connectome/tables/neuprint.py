"""neuPrint's two tables: points (point_id, x, y, z, kind, conf, body) and partners (pre_id, post_id).

A presynaptic point (T-bar) is a cleft and its id the cleft's; each postsynaptic point is a synapse and its id the
synapse's source_id. Synapses without one are numbered from 2^63 on, where no data set has points.
Source: the Feather tables that feed neuPrint (flyem-snapshot).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import Field, FieldKind, outside, read_ids, read_values
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.reading import column_names, read_batches
from connectome.tables.synapse_reading import UnitNm
from connectome.tables.writing import BatchWriter, write_batches

FIRST_POST_ID = 2**63
PRE, POST = "PreSyn", "PostSyn"
POINT_CSV_TYPES = {
    "point_id": pa.uint64(),
    "x": pa.float64(),
    "y": pa.float64(),
    "z": pa.float64(),
    "kind": pa.string(),
    "conf": pa.float64(),
    "body": pa.uint64(),
}
POINT_SCHEMA = pa.schema([(name, pa.float32() if name == "conf" else kind) for name, kind in POINT_CSV_TYPES.items()])
PARTNER_SCHEMA = pa.schema([("pre_id", pa.uint64()), ("post_id", pa.uint64())])
CONFIDENCE = Field(ours="conf", names=("conf",), kind=FieldKind.SCORE)


@dataclass(kw_only=True)
class NeuprintReader:
    """The points and partners of neuPrint's two tables.

    Attributes:
        points: the file of the points.
        partners: the file of the partners.
        unit_nm: nm a unit of the positions (z, y, x): the voxel of the data set.
        scores_outside: scores of the points read so far that aren't from 0 to 1, and so became NULL.
        dropped_columns: the tables' columns that nothing is read from, of those tables whose reading has begun.
    """

    points: Path
    partners: Path
    unit_nm: UnitNm = (1.0, 1.0, 1.0)
    scores_outside: int = field(default=0, init=False)
    dropped_columns: list[str] = field(default_factory=list, init=False)

    def point_batches(self) -> Iterator[pa.RecordBatch]:
        """The points: point_id (int64; from 2^63 on wrapped to negative), pre (bool), body, x_nm, y_nm, z_nm, score.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or holds what a column can't.
        """
        names = _require(self.points, [name for name in POINT_CSV_TYPES if name != "conf"])
        wanted = [name for name in POINT_CSV_TYPES if name in names]
        self.dropped_columns += [name for name in names if name not in wanted]
        for batch in read_batches(self.points, wanted, POINT_CSV_TYPES):
            yield self._points(batch)

    def partner_batches(self) -> Iterator[pa.RecordBatch]:
        """The partners: pre_id and post_id, int64 as in `point_batches`.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or holds what a column can't.
        """
        names = _require(self.partners, PARTNER_SCHEMA.names)
        self.dropped_columns += [name for name in names if name not in PARTNER_SCHEMA.names]
        types = dict(zip(PARTNER_SCHEMA.names, PARTNER_SCHEMA.types, strict=True))
        for batch in read_batches(self.partners, PARTNER_SCHEMA.names, types):
            pre = read_ids(batch["pre_id"], f"{self.partners}: column pre_id")
            post = _wrapped(batch["post_id"], f"{self.partners}: column post_id")
            if pre.null_count or post.null_count:
                raise TableError(f"{self.partners}: a row lacks pre_id or post_id")
            yield pa.record_batch({"pre_id": pre, "post_id": post})

    def _points(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        where = f"{self.points}: column "
        kind = batch["kind"].dictionary_decode() if pa.types.is_dictionary(batch["kind"].type) else batch["kind"]
        if not pc.all(pc.is_in(kind, pa.array([PRE, POST], kind.type))).as_py():
            raise TableError(f"{where}kind holds something else than {PRE} and {POST}")
        columns = {
            "point_id": _wrapped(batch["point_id"], f"{where}point_id"),
            "pre": pc.equal(kind, PRE),
            "body": pc.fill_null(read_ids(batch["body"], f"{where}body"), 0),
        }
        for axis, unit in zip("xyz", reversed(self.unit_nm), strict=True):
            position = Field(ours=f"{axis}_nm", names=(axis,), kind=FieldKind.POSITION)
            columns[position.ours] = read_values(position, batch[axis], unit, f"{where}{axis}")
        columns["score"] = pa.nulls(batch.num_rows, pa.float32())
        if "conf" in batch.schema.names:
            columns["score"] = read_values(CONFIDENCE, batch["conf"], 1.0, f"{where}conf")
            self.scores_outside += pc.sum(outside(CONFIDENCE, batch["conf"], f"{where}conf")).as_py() or 0
        if any(columns[name].null_count for name in ("point_id", "x_nm", "y_nm", "z_nm")):
            raise TableError(f"{self.points}: a point has no id or no position")
        return pa.record_batch(columns)


@dataclass(kw_only=True)
class _NeuprintWriter:
    points: BatchWriter
    partners: BatchWriter
    unit_nm: UnitNm
    written: int = 0
    last: tuple[int, int] = field(default=(0, 0))  # cleft and presynaptic segment of the last row

    def write_batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows == 0:
            return
        clefts = batch["cleft_id"].to_numpy()
        segments = batch["pre_segment_id"].to_numpy()
        before = np.concatenate([[self.last[0]], clefts[:-1]]), np.concatenate([[self.last[1]], segments[:-1]])
        first = clefts != before[0]
        if (~first & (segments != before[1])).any():
            cleft = clefts[~first & (segments != before[1])][0]
            raise TableError(
                f"cleft {cleft} has synapses of two presynaptic segments, and neuPrint's points have one body: choose "
                "other --columns"
            )
        numbers = np.arange(FIRST_POST_ID + self.written, FIRST_POST_ID + self.written + len(clefts), dtype=np.uint64)
        post_ids = pc.coalesce(batch["source_id"].cast(pa.uint64()), pa.array(numbers))
        self.points.write_batch(self._points(batch.filter(pa.array(first)), "pre", None))
        self.points.write_batch(self._points(batch, "post", post_ids))
        pairs = [pa.array(clefts.astype(np.uint64)), post_ids]
        self.partners.write_batch(pa.record_batch(pairs, schema=PARTNER_SCHEMA))
        self.written += len(clefts)
        self.last = int(clefts[-1]), int(segments[-1])

    def _points(self, batch: pa.RecordBatch, side: str, ids: pa.Array | None) -> pa.RecordBatch:
        kind = pa.repeat(PRE if side == "pre" else POST, batch.num_rows)
        positions = [
            pc.divide(pc.coalesce(batch[f"{side}_{axis}_nm"].cast(pa.float64()), batch[f"{axis}_nm"]), unit)
            for axis, unit in zip("xyz", reversed(self.unit_nm), strict=True)
        ]
        ids = batch["cleft_id"].cast(pa.uint64()) if ids is None else ids
        body = batch[f"{side}_segment_id"].cast(pa.uint64())
        return pa.record_batch([ids, *positions, kind, batch[f"{side}_score"], body], schema=POINT_SCHEMA)


@contextmanager
def write_neuprint(points: Path, partners: Path, kind: FileKind, unit_nm: UnitNm) -> Iterator[BatchWriter]:
    """A writer of both tables that takes batches of SYNAPSE_SCHEMA, ordered by cleft.

    Raises:
        StorageError: disk full, no such folder, no permission. TableError: a cleft has two presynaptic segments.
    """
    with (
        write_batches(points, kind, POINT_SCHEMA) as point_writer,
        write_batches(partners, kind, PARTNER_SCHEMA) as partner_writer,
    ):
        yield _NeuprintWriter(points=point_writer, partners=partner_writer, unit_nm=unit_nm)


def _require(path: Path, names: list[str]) -> list[str]:
    """The names of a table's columns, if all that are needed are among them."""
    found = column_names(path)
    missing = [name for name in names if name not in found]
    if missing:
        raise TableError(
            f"{path} has no column {missing[0]}, as tables from {Columns.NEUPRINT} have: its columns are "
            f"{', '.join(found[:20])}"
        )
    return found


def _wrapped(column: pa.Array, where: str) -> pa.Array:
    """Point ids, uint64 in neuPrint, as int64 of the same bits."""
    if pa.types.is_uint64(column.type):
        return column.view(pa.int64())
    return read_ids(column, where)
