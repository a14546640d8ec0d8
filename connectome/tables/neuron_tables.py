"""Tables of neurons: which root each segment belongs to, and what is said of each neuron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import present, read_ids
from connectome.tables.reading import column_names, read_batches
from connectome.tables.validity import VALIDITY, still_valid

SUPERVOXEL_COLUMNS = ("supervoxel_id", "pt_supervoxel_id", "sv_id", "supervoxel", "sv")
SEGMENT_COLUMNS = ("segment_id", *SUPERVOXEL_COLUMNS, "old_root_id", "bodyId", "body")
ROOT_COLUMNS = ("root_id", "pt_root_id", "new_root_id", "root")
NEURON_COLUMNS = ("neuron_id", "root_id", "pt_root_id", "segment_id", "bodyId", "body")

NAME_COLUMNS = ("name", "neuron", "Name", "Neuron")


class Repeated(StrEnum):
    """What to do where a table says several things of a neuron under one label."""

    REFUSE = "refuse"
    FIRST = "first"
    LAST = "last"
    DROP = "drop"


@dataclass(kw_only=True)
class AnnotationTable:
    """A table with a row a neuron and a column a label.

    Attributes:
        path: the file.
        id_column: the neurons' ids; None: the first of NEURON_COLUMNS that it has.
        labels: which columns, and the label that each becomes; empty: all others, by their names.
        repeated: what to do where it says several things of a neuron under one label.
        names: the ids of neurons that may be given by name.
        without_id: rows left out so far, as their id is missing or 0, or their name is nobody's.
        retired: rows left out so far that the table marks as no longer valid.
        ambiguous: how many neurons the table says several things of, once a label each.
    """

    path: Path
    id_column: str | None = None
    labels: Mapping[str, str] | None = None
    repeated: Repeated = Repeated.REFUSE
    names: Mapping[str, int] = field(default_factory=dict)
    without_id: int = field(default=0, init=False)
    retired: int = field(default=0, init=False)
    ambiguous: int = field(default=0, init=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The annotations, label by label: neuron_id int64, label and value text; empty values are left out.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, an id isn't a neuron's, or the table
                says several things of a neuron and that is refused.
        """
        found: dict[str, list[pa.RecordBatch]] = {}
        for batch in self._told():
            found.setdefault(batch["label"][0].as_py(), []).append(batch)
        for label, batches in found.items():
            yield self._once(label, pa.Table.from_batches(batches).combine_chunks().to_batches()[0])

    def _told(self) -> Iterator[pa.RecordBatch]:
        """What the rows say, none of the batches empty."""
        names = column_names(self.path)
        id_column = self._ids(names)
        labels = dict(self.labels) if self.labels else self._labels(names, id_column)
        missing = [name for name in (id_column, *labels) if name not in names]
        if missing:
            raise TableError(f"{self.path} has no column {missing[0]}: its columns are {', '.join(names[:20])}")
        if not all(label.strip() for label in labels.values()):
            raise TableError(f"{self.path} has a column without a name", about="label")
        validity = [name for name in VALIDITY if name in names and name not in labels]
        types = dict.fromkeys((id_column, *labels, *validity), pa.string())
        for batch in read_batches(self.path, types, types):
            valid = batch.filter(still_valid(batch, validity))
            self.retired += batch.num_rows - valid.num_rows
            ids = self._neurons(valid[id_column], f"{self.path}: column {id_column}")
            told = present(ids)
            self.without_id += len(ids) - (pc.sum(told).as_py() or 0)
            kept, ids = valid.filter(told), ids.filter(told)
            for name, label in labels.items():
                one = self._of_label(ids, kept[name], label)
                if one.num_rows:
                    yield one

    def _ids(self, names: Sequence[str]) -> str:
        """The column of the ids; without any of their names the first, where it has none, as pandas writes them."""
        if self.id_column is not None:
            return self.id_column
        if not set(NEURON_COLUMNS) & set(names) and names[0] == "":
            return ""
        return _first(self.path, names, (*NEURON_COLUMNS, *NAME_COLUMNS) if self.names else NEURON_COLUMNS)

    def _neurons(self, column: pa.Array, where: str) -> pa.Array:
        """The ids of neurons, given as such or by name; NULL for a name that is nobody's."""
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        if not (self.names and pa.types.is_string(column.type)):
            return read_ids(column, where)
        if pc.all(pc.match_substring_regex(pc.fill_null(column, ""), r"^\s*(\d+(\.0*)?)?\s*$")).as_py():
            return read_ids(column, where)
        places = pc.index_in(pc.utf8_trim_whitespace(column), pa.array(list(self.names), pa.string()))
        return pa.array(list(self.names.values()), pa.int64()).take(places)

    def _once(self, label: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One row a neuron; the same said twice is no contradiction.

        Raises:
            TableError: several things are said of a neuron, and that is refused.
        """
        ids = batch["neuron_id"].to_numpy()
        values = batch["value"].dictionary_encode().indices.to_numpy()
        order = np.lexsort((np.arange(len(ids)), ids))
        begins = np.r_[True, np.diff(ids[order]) != 0]
        same = np.r_[True, np.diff(values[order]) == 0] | begins
        group = np.cumsum(begins) - 1
        ambiguous = np.zeros(group[-1] + 1, bool)
        ambiguous[group[~same]] = True
        self.ambiguous += int(ambiguous.sum())
        firsts = order[begins]
        if ambiguous.any() and self.repeated is Repeated.REFUSE:
            neuron = ids[firsts][ambiguous][0]
            raise TableError(
                f"{self.path} says different things of {int(ambiguous.sum()):,} neurons under '{label}' (such as "
                f"{neuron}): a neuron has one value a label",
                about="repeated",
            )
        chosen = order[np.r_[begins[1:], True]] if self.repeated is Repeated.LAST else firsts
        if self.repeated is Repeated.DROP:
            chosen = chosen[~ambiguous]
        return batch.take(pa.array(np.sort(chosen)))

    @staticmethod
    def _labels(names: Sequence[str], id_column: str) -> dict[str, str]:
        """All columns but the ids, those that say whether a row is valid, and the row numbers that pandas writes."""
        return {name: name for name in names if name not in (id_column, *VALIDITY) and name.strip()}

    def _of_label(self, ids: pa.Array, column: pa.Array, label: str) -> pa.RecordBatch:
        if pa.types.is_nested(column.type):
            raise TableError(f"{self.path}: column {label} holds {column.type}, where a label has one value")
        values = column.cast(pa.string())
        kept = pc.and_(pc.is_valid(values), pc.not_equal(values, ""))
        found = pa.record_batch({"neuron_id": ids, "value": values}).filter(pc.fill_null(kept, False))
        labels = pa.repeat(label, found.num_rows)
        return pa.record_batch([found["neuron_id"], labels, found["value"]], names=["neuron_id", "label", "value"])


@dataclass(kw_only=True)
class RootTable:
    """A table of segments or supervoxels and their roots.

    Attributes:
        path: the file.
        renamed: columns of the table under names of its own, and segment_id, supervoxel_id or root_id that each one is.
        supervoxels: whether it names supervoxels; known once it was opened.
        without_root: rows left out so far, as their id or root is missing or 0.
    """

    path: Path
    renamed: Mapping[str, str] = field(default_factory=dict)
    supervoxels: bool = field(default=False, init=False)
    without_root: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Look at the columns.

        Raises:
            TableError: the file can't be read, or lacks a column.
        """
        names = column_names(self.path)
        ours = {ours: theirs for theirs, ours in self.renamed.items()}
        wrong = next((name for name in ours if name not in ("segment_id", "supervoxel_id", "root_id")), None)
        if wrong is not None:
            raise TableError(f"a table of roots has no column {wrong}: it has segment_id or supervoxel_id, and root_id")
        absent = next((name for name in self.renamed if name not in names), None)
        if absent is not None:
            raise TableError(f"{self.path} has no column {absent}: its columns are {', '.join(names[:20])}")
        given = ours.get("segment_id") or ours.get("supervoxel_id")
        root = ours.get("root_id") or _first(self.path, names, ROOT_COLUMNS)
        self._columns = (given or _first(self.path, names, SEGMENT_COLUMNS), root)
        told = "supervoxel_id" in ours if given else self._columns[0] in SUPERVOXEL_COLUMNS
        self.supervoxels = told

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The roots: segment_id or supervoxel_id, and root_id, int64.

        Raises:
            TableError, SegmentIdError: the file can't be read, or an id is none or too large.
        """
        key = "supervoxel_id" if self.supervoxels else "segment_id"
        for batch in read_batches(self.path, self._columns, dict.fromkeys(self._columns, pa.string())):
            ids = [read_ids(batch[name], f"{self.path}: column {name}") for name in self._columns]
            told = pa.record_batch(ids, names=[key, "root_id"])
            kept = told.filter(pc.and_(present(told[key]), present(told["root_id"])))
            self.without_root += told.num_rows - kept.num_rows
            yield kept


def _first(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise TableError(f"{path} has no column {' or '.join(wanted)}: its columns are {', '.join(names[:20])}")
    return found
