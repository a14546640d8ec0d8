"""neuPrint's two tables: points (point_id, x, y, z, kind, conf, body) and partners (pre_id, post_id).

A presynaptic point (T-bar) is a cleft and its id the cleft's; each postsynaptic point is a synapse and its id the
synapse's source_id. The ids that are written carry the points' places, as neuPrint's tools expect; positions are the
voxels that points lie in. Of several points of one kind in a voxel, the later ones move to the next free one along x.
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
from numpy.typing import NDArray

from connectome.errors import TableError
from connectome.tables.fields import Field, FieldKind, outside, read_ids, read_values
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.positions import PLACE_BITS, UnitNm, place_ids
from connectome.tables.reading import column_names, read_batches
from connectome.tables.writing import BatchWriter, write_batches

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
WRITTEN_TYPES = {"conf": pa.float32(), "x": pa.int32(), "y": pa.int32(), "z": pa.int32()}
POINT_SCHEMA = pa.schema([(name, WRITTEN_TYPES.get(name, kind)) for name, kind in POINT_CSV_TYPES.items()])
PARTNER_SCHEMA = pa.schema([("pre_id", pa.uint64()), ("post_id", pa.uint64())])
MASK = (1 << PLACE_BITS) - 1
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
    path: Path
    unit_nm: UnitNm
    last: tuple[int, int, int] = field(default=(0, 0, 0))  # cleft, presynaptic segment and point of the last row
    taken: dict[str, _Taken] = field(default_factory=lambda: {PRE: _Taken(), POST: _Taken()})

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
                f"cleft {cleft} has synapses of two presynaptic segments, and neuPrint's points have one body",
                about="columns",
            )
        pre_points = self._write_points(batch.filter(pa.array(first)), "pre")
        post_ids = self._write_points(batch, "post")
        pre_ids = np.concatenate([[self.last[2]], pre_points])[np.cumsum(first)]  # the last batch's where none began
        pairs = [pa.array(pre_ids.astype(np.uint64)), pa.array(post_ids.astype(np.uint64))]
        self.partners.write_batch(pa.record_batch(pairs, schema=PARTNER_SCHEMA))
        self.last = int(clefts[-1]), int(segments[-1]), int(pre_ids[-1])

    def _write_points(self, batch: pa.RecordBatch, side: str) -> NDArray[np.int64]:
        """Write the points of one side; returns their ids."""
        kind = PRE if side == "pre" else POST
        positions = [pc.coalesce(batch[f"{side}_{axis}_nm"].cast(pa.float64()), batch[f"{axis}_nm"]) for axis in "zyx"]
        ids = self.taken[kind].claim(place_ids(positions, self.unit_nm, str(self.path)).to_numpy())
        voxels = [pa.array((ids >> bits & MASK).astype(np.int32)) for bits in (0, PLACE_BITS, 2 * PLACE_BITS)]
        columns = [
            pa.array(ids.astype(np.uint64)),
            *voxels,
            pa.repeat(kind, batch.num_rows),
            batch[f"{side}_score"],
            batch[f"{side}_segment_id"].cast(pa.uint64()),
        ]
        self.points.write_batch(pa.record_batch(columns, schema=POINT_SCHEMA))
        return ids


class _Taken:
    """The places that points of one kind have; a point whose place is taken moves on to the next that is free."""

    def __init__(self) -> None:
        self._sorted: list[NDArray[np.int64]] = []  # each at least twice as long as the next

    def claim(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of their own for points that would be at these: int64 (n,)."""
        claimed = ids.copy()
        first = np.zeros(len(ids), bool)
        first[np.unique(ids, return_index=True)[1]] = True
        late = np.flatnonzero(~first | self._holds(ids))
        here = set(ids[first].tolist())
        for place in late.tolist():
            free = int(ids[place])
            while free in here or self._holds(np.array([free]))[0]:
                free += 1
            here.add(free)
            claimed[place] = free
        self._sorted.append(np.sort(claimed))
        while len(self._sorted) > 1 and len(self._sorted[-2]) < 2 * len(self._sorted[-1]):
            self._sorted.append(np.sort(np.concatenate([self._sorted.pop(), self._sorted.pop()])))
        return claimed

    def _holds(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        held = np.zeros(len(ids), bool)
        for there in self._sorted:
            places = np.minimum(np.searchsorted(there, ids), len(there) - 1)
            held |= there[places] == ids
        return held


@contextmanager
def write_neuprint(points: Path, partners: Path, kind: FileKind, unit_nm: UnitNm) -> Iterator[BatchWriter]:
    """A writer of both tables that takes batches of SYNAPSE_SCHEMA, ordered by cleft.

    Raises:
        StorageError: disk full, no such folder, no permission.
        TableError: a cleft has two presynaptic segments, or points lie too far out.
    """
    with (
        write_batches(points, kind, POINT_SCHEMA) as point_writer,
        write_batches(partners, kind, PARTNER_SCHEMA) as partner_writer,
    ):
        yield _NeuprintWriter(points=point_writer, partners=partner_writer, path=points, unit_nm=unit_nm)


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
