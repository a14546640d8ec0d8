"""Reading somebody's synapse table as batches of this project's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.column_sets import COLUMN_SETS, SYNAPSE_SCHEMA, ColumnSet
from connectome.tables.fields import Field, FieldKind, outside, read_values
from connectome.tables.kinds import Columns
from connectome.tables.positions import axis_of, list_column
from connectome.tables.reading import column_names, read_batches

UnitNm = tuple[float, float, float]
AXES = {"z": 0, "y": 1, "x": 2}


@dataclass(kw_only=True)
class SynapseReader:
    """The synapses of a table file.

    Attributes:
        path: the file.
        columns: whose columns it has.
        unit_nm: nm a unit of its positions (z, y, x): 1 where they are in nm, else the voxel they count.
        rows: rows read so far.
        without_partner: rows left out so far because a partner is missing or 0.
        retired: rows left out so far that the table marks as deleted or superseded.
        scores_outside: scores of the rows read so far that aren't from 0 to 1, and so became NULL.
        dropped_columns: the table's columns that nothing is read from; known once the first batch is there.
    """

    path: Path
    columns: Columns
    unit_nm: UnitNm = (1.0, 1.0, 1.0)
    rows: int = field(default=0, init=False)
    without_partner: int = field(default=0, init=False)
    retired: int = field(default=0, init=False)
    scores_outside: int = field(default=0, init=False)
    dropped_columns: list[str] = field(default_factory=list, init=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The synapses in the file's order, of SYNAPSE_SCHEMA; what the table doesn't tell is NULL.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or holds what a column can't.
        """
        column_set = COLUMN_SETS[self.columns]
        names = column_names(self.path)
        found = self._found(column_set, names)
        retired = [name for name in column_set.retired if name in names]
        types: dict[str, pa.DataType] = dict.fromkeys(retired, pa.string())
        for spec, name in found.items():
            types[name] = spec.csv_type if name in spec.names else pa.string()
        self.dropped_columns = [name for name in names if name not in types]
        for batch in read_batches(self.path, types, types):
            yield self._neutral(self._valid(batch, retired), found)

    def _found(self, column_set: ColumnSet, names: list[str]) -> dict[Field, str]:
        """The table's column for each field that it has."""
        found: dict[Field, str] = {}
        for spec in column_set.fields:
            candidates = [*spec.names, *list_column(spec)]
            name = next((name for name in candidates if name in names), None)
            if name is not None:
                found[spec] = name
            elif spec.required:
                raise TableError(
                    f"{self.path} has no column {spec.names[0]}, as tables from {self.columns} have: its columns are "
                    f"{', '.join(names[:20])}; choose another --from"
                )
        ours = {spec.ours for spec in found}
        if not any({f"{side}{axis}_nm" for axis in "xyz"} <= ours for side in ("", "pre_", "post_")):
            raise TableError(f"{self.path} has no positions: a synapse needs those of its centre or of its partners")
        return found

    def _valid(self, batch: pa.RecordBatch, retired: list[str]) -> pa.RecordBatch:
        """The batch without the rows that the table marks as no longer valid."""
        for name in retired:
            kept = pc.is_null(batch[name])
            self.retired += batch.num_rows - (pc.sum(kept).as_py() or 0)
            batch = batch.filter(kept)
        return batch

    def _neutral(self, batch: pa.RecordBatch, found: Mapping[Field, str]) -> pa.RecordBatch:
        first = self.rows + self.retired + self.without_partner
        arrays: dict[str, pa.Array] = {}
        wrong: list[pa.Array] = []
        for spec, name in found.items():
            column, where = batch[name], f"{self.path}: column {name}"
            unit = 1.0
            if spec.kind is FieldKind.POSITION:
                axis = axis_of(spec)
                unit = self.unit_nm[AXES[axis]]
                if name not in spec.names:
                    from_list = list_column(spec)
                    column = from_list[name](column, where)
            arrays[spec.ours] = read_values(spec, column, unit, where)
            if spec.kind is FieldKind.SCORE:
                wrong.append(outside(spec, column, where))
        if "cleft_id" not in arrays:
            arrays["cleft_id"] = pa.array(range(first + 1, first + 1 + batch.num_rows), pa.int64())
        _fill_centre(arrays, batch.num_rows)
        _fill_confidence(arrays)
        columns = [
            arrays.get(name, pa.nulls(batch.num_rows, type_))
            for name, type_ in zip(SYNAPSE_SCHEMA.names, SYNAPSE_SCHEMA.types, strict=True)
        ]
        return self._with_partners(pa.record_batch(columns, schema=SYNAPSE_SCHEMA), wrong)

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


def _fill_centre(arrays: dict[str, pa.Array], rows: int) -> None:
    """The centre where the table tells none: halfway between its partners' points, or at the one there is."""
    for axis in "xyz":
        pre, post = arrays.get(f"pre_{axis}_nm"), arrays.get(f"post_{axis}_nm")
        known = [side for side in (pre, post) if side is not None]
        centre = arrays.get(f"{axis}_nm", pa.nulls(rows, pa.float64()))
        if pre is not None and post is not None:
            centre = pc.coalesce(centre, pc.divide(pc.add(pre, post), 2.0))
        arrays[f"{axis}_nm"] = pc.coalesce(centre, *known)


def _fill_confidence(arrays: dict[str, pa.Array]) -> None:
    """The confidence where the table tells only the partners' scores: their product."""
    pre, post = arrays.get("pre_score"), arrays.get("post_score")
    if "confidence" not in arrays and pre is not None and post is not None:
        arrays["confidence"] = pc.multiply(pre, post)
