"""Reading somebody's synapse table as batches of this project's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.column_sets import COLUMN_SETS, NEUPRINT_FLAT, OURS, SYNAPSE_SCHEMA, ColumnSet
from connectome.tables.fields import Field, FieldKind, outside, present, read_values
from connectome.tables.kinds import Columns
from connectome.tables.positions import UnitNm, axis_of, list_columns, place_ids
from connectome.tables.reading import column_names, read_batches
from connectome.tables.validity import VALIDITY, still_valid

AXES = {"z": 0, "y": 1, "x": 2}


@dataclass(kw_only=True)
class SynapseReader:
    """The synapses of a table file.

    Attributes:
        path: the file.
        columns: whose columns it has.
        unit_nm: nm a unit of its positions (z, y, x): 1 where they are in nm, else the voxel they count; None: not
            told.
        renamed: columns of the table under names of its own, and the column of this project that each one is.
        rows: rows read so far.
        without_partner: rows left out so far because a partner is missing or 0.
        retired: rows left out so far that the table marks as not valid, deleted or superseded.
        scores_outside: scores of the rows read so far that aren't from 0 to 1, and so became NULL.
        unit_taken: whether positions are taken as nm although neither the table nor `unit_nm` says so; known once the
            first batch is there, as are the next.
        dropped_columns: the table's columns that nothing is read from.
    """

    path: Path
    columns: Columns
    unit_nm: UnitNm | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    rows: int = field(default=0, init=False)
    without_partner: int = field(default=0, init=False)
    retired: int = field(default=0, init=False)
    scores_outside: int = field(default=0, init=False)
    unit_taken: bool = field(default=False, init=False)
    dropped_columns: list[str] = field(default_factory=list, init=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The synapses in the file's order, of SYNAPSE_SCHEMA; what the table doesn't tell is NULL.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or holds what a column can't.
        """
        column_set = COLUMN_SETS.get(self.columns, NEUPRINT_FLAT)
        names = column_names(self.path)
        found = self._found(column_set, names)
        retired = [name for name in VALIDITY if name in names and name not in found.values()]
        types: dict[str, pa.DataType] = dict.fromkeys(retired, pa.string())
        for spec, name in found.items():
            types[name] = spec.csv_type if name in spec.names else pa.string()
        self.dropped_columns = [name for name in names if name not in types]
        units = {spec: self._unit(spec, name, column_set) for spec, name in found.items()}
        for batch in read_batches(self.path, types, types):
            valid = batch.filter(still_valid(batch, retired))
            self.retired += batch.num_rows - valid.num_rows
            yield self._neutral(valid, found, units)

    def _found(self, column_set: ColumnSet, names: list[str]) -> dict[Field, str]:
        """The table's column for each field that it has."""
        found = {spec: spec.names[0] for spec in self._renamed(column_set, names)}
        given = {spec.ours for spec in found}
        missing = []
        for spec in column_set.fields:
            if spec.ours in given:
                continue
            candidates = [*spec.names, *list_columns(spec)]
            name = next((name for name in candidates if name in names), None)
            if name is not None:
                found[spec] = name
            elif spec.required:
                missing.append(f"{' or '.join(spec.names)} ({spec.ours})")
        ours = {spec.ours for spec in found}
        if missing:
            raise TableError(
                f"{self.path} has no column {', '.join(missing)}, as tables from {self.columns} have: its columns are "
                f"{', '.join(names[:30])}",
                about="column",
            )
        if not any({f"{side}{axis}_nm" for axis in "xyz"} <= ours for side in ("", "pre_", "post_")):
            wanted = ", ".join(spec.names[0] for spec in column_set.fields if spec.kind is FieldKind.POSITION)
            raise TableError(
                f"{self.path} has no positions: a synapse needs those of its centre or of its partners, such as "
                f"{wanted}; its columns are {', '.join(names[:30])}",
                about="column",
            )
        return found

    def _renamed(self, column_set: ColumnSet, names: list[str]) -> list[Field]:
        """The fields of the columns that the caller names.

        Raises:
            TableError: there is no such column, here or in the table.
        """
        known = {spec.ours: spec for spec in (*OURS.fields, *column_set.fields)}
        for theirs, ours in self.renamed.items():
            if theirs not in names:
                raise TableError(f"{self.path} has no column {theirs}: its columns are {', '.join(names[:30])}")
            if ours not in known:
                raise TableError(f"a synapse has no column {ours}: it has {', '.join(known)}")
        return [replace(known[ours], names=(theirs,)) for theirs, ours in self.renamed.items()]

    def _unit(self, spec: Field, name: str, column_set: ColumnSet) -> float:
        """What a position is multiplied with, to be in nm.

        Raises:
            TableError: the column counts voxels, and nobody says of which size.
        """
        if spec.kind is not FieldKind.POSITION:
            return 1.0
        in_nm = name.endswith("_nm") and (name != spec.names[0] or spec.ours in self.renamed.values())
        if in_nm:
            return 1.0
        if self.unit_nm is None:
            if name.endswith("_vx"):
                raise TableError(f"{self.path}: column {name} counts voxels, of a size that isn't told", about="unit")
            self.unit_taken |= not column_set.in_nm or spec.ours in self.renamed.values()
            return 1.0
        return self.unit_nm[AXES[axis_of(spec)]]

    def _neutral(
        self, batch: pa.RecordBatch, found: Mapping[Field, str], units: Mapping[Field, float]
    ) -> pa.RecordBatch:
        first = self.rows + self.retired + self.without_partner
        arrays: dict[str, pa.Array] = {}
        wrong: list[pa.Array] = []
        for spec, name in found.items():
            column, where = batch[name], f"{self.path}: column {name}"
            if name not in spec.names:
                column = list_columns(spec)[name](column, where)
            arrays[spec.ours] = read_values(spec, column, units[spec], where)
            if spec.kind is FieldKind.SCORE:
                wrong.append(outside(spec, column, where))
            if spec.ours.endswith("_supervoxel_id"):
                arrays[spec.ours] = pc.if_else(
                    present(arrays[spec.ours]), arrays[spec.ours], pa.scalar(None, pa.int64())
                )
        if "cleft_id" not in arrays and self.columns is Columns.NEUPRINT:
            arrays["cleft_id"] = self._places(arrays, "pre_", units)
            arrays.setdefault("source_id", self._places(arrays, "post_", units))
        elif "cleft_id" not in arrays:
            arrays["cleft_id"] = pa.array(range(first + 1, first + 1 + batch.num_rows), pa.int64())
        _fill_centre(arrays, batch.num_rows, at_pre=self.columns is Columns.NEUPRINT)
        _fill_confidence(arrays)
        columns = [
            arrays.get(name, pa.nulls(batch.num_rows, type_))
            for name, type_ in zip(SYNAPSE_SCHEMA.names, SYNAPSE_SCHEMA.types, strict=True)
        ]
        return self._with_partners(pa.record_batch(columns, schema=SYNAPSE_SCHEMA), wrong)

    def _places(self, arrays: Mapping[str, pa.Array], prefix: str, units: Mapping[Field, float]) -> pa.Array:
        """The ids of points that carry their place, from positions in nm."""
        of_axis = {axis_of(spec): unit for spec, unit in units.items() if spec.kind is FieldKind.POSITION}
        unit = (of_axis["z"], of_axis["y"], of_axis["x"])
        return place_ids([arrays[f"{prefix}{axis}_nm"] for axis in "zyx"], unit, str(self.path))

    def _with_partners(self, batch: pa.RecordBatch, wrong: list[pa.Array]) -> pa.RecordBatch:
        """The batch without the rows that lack a partner; counts both, and the scores of the others that are wrong."""
        kept = pc.and_(pc.greater(batch["pre_segment_id"], 0), pc.greater(batch["post_segment_id"], 0))
        kept = pc.fill_null(kept, False)
        with_partners = batch.filter(kept)
        self.scores_outside += sum(pc.sum(pc.and_(kept, scores)).as_py() or 0 for scores in wrong)
        self.rows += with_partners.num_rows
        self.without_partner += batch.num_rows - with_partners.num_rows
        for name in ("cleft_id", "x_nm", "y_nm", "z_nm"):
            if with_partners[name].null_count:
                raise TableError(f"{self.path}: a synapse has no {name}: every one needs an id and a position")
        if with_partners.num_rows and pc.min(with_partners["cleft_id"]).as_py() < 1:
            raise TableError(f"{self.path}: a synapse has the id 0: ids of clefts are 1 or more")
        return with_partners


def _fill_centre(arrays: dict[str, pa.Array], rows: int, *, at_pre: bool) -> None:
    """The centre where the table tells none: halfway between its partners' points, or at the one there is.

    A T-bar's synapses (`at_pre`) all have their centre at it.
    """
    for axis in "xyz":
        pre, post = arrays.get(f"pre_{axis}_nm"), arrays.get(f"post_{axis}_nm")
        known = [side for side in (pre, post) if side is not None]
        centre = arrays.get(f"{axis}_nm", pa.nulls(rows, pa.float64()))
        if pre is not None and post is not None and not at_pre:
            centre = pc.coalesce(centre, pc.divide(pc.add(pre, post), 2.0))
        arrays[f"{axis}_nm"] = pc.coalesce(centre, *known)


def _fill_confidence(arrays: dict[str, pa.Array]) -> None:
    """The confidence where the table tells only the partners' scores: their product."""
    pre, post = arrays.get("pre_score"), arrays.get("post_score")
    if "confidence" not in arrays and pre is not None and post is not None:
        arrays["confidence"] = pc.multiply(pre, post)
