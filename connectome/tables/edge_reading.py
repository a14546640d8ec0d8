"""Reading somebody's edge list or matrix: neurons as texts, rows as they are, several of a pair or none."""

from __future__ import annotations

import csv as lines
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import read_ids
from connectome.tables.kinds import TEXT, kind_of
from connectome.tables.reading import column_names, delimiter_of, first_line, read_batches
from connectome.tables.validity import VALIDITY, still_valid

EDGE_SCHEMA = pa.schema(
    [
        ("pre", pa.string()),
        ("post", pa.string()),
        ("synapses", pa.int64()),
        ("size_voxels", pa.int64()),
        ("confidence", pa.float64()),
    ]
)
# As Codex, neuPrint, CAVE's views, sheets of C. elegans, graph tools and this project name them; in small letters.
NAMES = {
    "pre": (
        *("pre_id", "pre_segment_id", "pre_pt_root_id", "pre_root_id", "body_pre", "bodyid_pre", "presyn_segid"),
        *("pre_name", "pre", "source", "source_id", "from", "pre_neuron", "presynaptic", "presynaptic_neuron"),
        *("neuron_1", "neuron1", "origin", "sending"),
    ),
    "post": (
        *("post_id", "post_segment_id", "post_pt_root_id", "post_root_id", "body_post", "bodyid_post", "postsyn_segid"),
        *("post_name", "post", "target", "target_id", "to", "post_neuron", "postsynaptic", "postsynaptic_neuron"),
        *("neuron_2", "neuron2", "receiving"),
    ),
    "synapses": (
        *("synapse_count", "syn_count", "n_syn", "nsyn", "num_syn", "n_synapses", "synapses", "count", "weight", "nbr"),
        *("number", "number_of_connections", "number_of_synapses", "connections"),
    ),
    "size_voxels": ("size_voxels", "sum_size", "size"),
    "confidence": ("mean_confidence", "confidence"),
}
KINDS = ("type", "kind", "edge_type", "synapse_type", "connection_type", "type_of_connection", "etype")
OURS = {"pre_id": "pre", "post_id": "post", "synapse_count": "synapses", "mean_confidence": "confidence"}
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
ROWS_A_PART = 50_000
ROWS_OF_MATRIX = 1024
WHOLE = r"^\d+$"


@dataclass(kw_only=True)
class EdgeReader:
    """The edges of a table.

    Attributes:
        path: the file: a row an edge, or a matrix with a row a presynaptic neuron.
        matrix: whether it is a matrix; None: what its columns say.
        renamed: columns of the table under names of its own, and pre_id, post_id, synapse_count, size_voxels or
            mean_confidence that each one is.
        only: columns of the table, and the values of which a row has to have one in each to count.
        rows: edges read so far, several of a pair counted each.
        without_neuron: rows left out so far, as a neuron is missing or 0.
        without_synapses: rows left out so far that count no synapse.
        retired: rows left out so far that the table marks as not valid, deleted or superseded.
        left_out: rows left out so far by `only`.
        kinds: columns that tell kinds of connections apart, with all their values so far: they are added up.
        counted: whether the table counts synapses; otherwise each row is one. Known once the first batch is there.
        dropped_columns: the table's columns that nothing is read from; known as `counted` is.
    """

    path: Path
    matrix: bool | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Collection[str]] = field(default_factory=dict)
    rows: int = field(default=0, init=False)
    without_neuron: int = field(default=0, init=False)
    without_synapses: int = field(default=0, init=False)
    retired: int = field(default=0, init=False)
    left_out: int = field(default=0, init=False)
    kinds: dict[str, set[str]] = field(default_factory=dict, init=False)
    counted: bool = field(default=True, init=False)
    dropped_columns: list[str] = field(default_factory=list, init=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The edges in the file's order, of EDGE_SCHEMA: neurons as texts, whole numbers without a leading zero.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or holds what a column can't.
        """
        header = self._header()
        found = self._found(header)
        if self.matrix or (self.matrix is None and "post" not in found and self._is_matrix(header)):
            yield from self._of_matrix(header, found.get("pre", header[0]))
            return
        missing = [f"{side}_id ({' or '.join(NAMES[side][:6])})" for side in ("pre", "post") if side not in found]
        if missing:
            raise TableError(
                f"{self.path} has no column {', '.join(missing)}: its columns are {', '.join(header[:30])}",
                about="edge_column",
            )
        self.counted = "synapses" in found
        validity = [name for name in VALIDITY if name in header]
        kinds = [name for name in header if _plain(name) in KINDS and name not in found.values()]
        absent = next((name for name in self.only if name not in header), None)
        if absent is not None:
            raise TableError(f"{self.path} has no column {absent}: its columns are {', '.join(header[:30])}")
        used = list(dict.fromkeys([*found.values(), *validity, *kinds, *self.only]))
        self.dropped_columns = [name for name in header if name not in (*found.values(), *validity, *self.only)]
        for batch in read_batches(self.path, used, dict.fromkeys(used, pa.string()), names=self._given_names(header)):
            valid = batch.filter(still_valid(batch, validity))
            self.retired += batch.num_rows - valid.num_rows
            chosen = self._chosen(valid)
            for name in kinds:
                self.kinds.setdefault(name, set()).update(_words(chosen[name]).unique().to_pylist())
            yield self._edges({ours: chosen[theirs] for ours, theirs in found.items()})

    def of_rows(self, rows: Iterable[Mapping[str, str]]) -> Iterator[pa.RecordBatch]:
        """The same for edges that were read elsewhere: texts by the names of EDGE_SCHEMA; what isn't told is left out.

        Raises:
            TableError, SegmentIdError: an edge holds what it can't.
        """
        for part in _parts(rows, ROWS_A_PART):
            self.counted = self.counted and all("synapses" in row for row in part)
            columns = {
                name: pa.array([row.get(name) for row in part], pa.string())
                for name in EDGE_SCHEMA.names
                if any(name in row for row in part)
            }
            if "synapses" in columns:
                columns["synapses"] = pc.fill_null(columns["synapses"], "1")
            yield self._edges(columns)

    def _chosen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that `only` lets count."""
        kept = batch
        for name, values in self.only.items():
            kept = kept.filter(pc.is_in(_words(kept[name]), pa.array(sorted(values), pa.string())))
        self.left_out += batch.num_rows - kept.num_rows
        return kept

    def _header(self) -> list[str]:
        """The names of the columns; those of a table without any are pre, post and weight."""
        if kind_of(self.path) in TEXT:
            cells = next(lines.reader([first_line(self.path)], delimiter=delimiter_of(self.path)), [])
            known = {name for names in NAMES.values() for name in names}
            told = {_plain(cell) for cell in cells} & known or set(cells) & set(self.renamed)
            numbers = [cell for cell in cells if re.match(NUMBER, cell)]
            if (
                len(cells) in (2, 3)
                and all(cells)
                and not told
                and cells[-1] in numbers
                and len(numbers) >= 4 - len(cells)
            ):
                self._headless = True
                return ["pre", "post", "weight"][: len(cells)]
        self._headless = False
        return column_names(self.path)

    def _given_names(self, header: list[str]) -> list[str] | None:
        return header if self._headless else None

    def _found(self, header: Sequence[str]) -> dict[str, str]:
        """The table's column for each of ours that it has."""
        found = {}
        for theirs, ours in self.renamed.items():
            if theirs not in header:
                raise TableError(f"{self.path} has no column {theirs}: its columns are {', '.join(header[:30])}")
            wanted = OURS.get(ours, ours)
            if wanted not in NAMES:
                raise TableError(f"an edge has no column {ours}: it has {', '.join((*OURS, 'size_voxels'))}")
            found[wanted] = theirs
        plain: dict[str, str] = {}
        for name in header:
            plain.setdefault(_plain(name), name)
        for wanted, names in NAMES.items():
            column = next((plain[name] for name in names if name in plain), None)
            if wanted not in found and column is not None and column not in found.values():
                found[wanted] = column
        return found

    def _is_matrix(self, header: Sequence[str]) -> bool:
        """True if all columns but the first hold numbers, as far as the first rows tell."""
        first = next(iter(read_batches(self.path, header[1:], dict.fromkeys(header[1:], pa.string()), rows=20)), None)
        if len(header) < 3 or first is None:
            return False
        texts = [pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), "")) for column in first.columns]
        return all(pc.all(pc.or_(pc.equal(t, ""), pc.match_substring_regex(t, NUMBER))).as_py() for t in texts)

    def _of_matrix(self, header: Sequence[str], pre: str) -> Iterator[pa.RecordBatch]:
        """The cells of a matrix that aren't empty or 0, row by row."""
        posts = np.array([name for name in header if name != pre], object)
        for batch in read_batches(self.path, header, dict.fromkeys(header, pa.string()), rows=ROWS_OF_MATRIX):
            columns = [_numbers(batch[post], f"{self.path}: column {post}") for post in posts]
            cells = np.stack([np.nan_to_num(c.to_numpy(zero_copy_only=False)) for c in columns], axis=1)
            rows, places = np.nonzero(cells)
            if len(rows):
                found = {"pre": batch[pre].take(pa.array(rows)), "post": pa.array(posts[places], pa.string())}
                yield self._edges({**found, "synapses": pa.array(cells[rows, places])})

    def _edges(self, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
        count = len(columns["pre"])
        arrays = {side: _neurons(columns[side], f"{self.path}: {side}synaptic neurons") for side in ("pre", "post")}
        arrays["synapses"] = pa.repeat(pa.scalar(1, pa.int64()), count)
        for name in ("synapses", "size_voxels"):
            if name in columns:
                arrays[name] = _whole_numbers(columns[name], f"{self.path}: {name}")
        if "confidence" in columns:
            given = _numbers(columns["confidence"], f"{self.path}: confidence")
            known = pc.and_(pc.greater_equal(given, 0.0), pc.less_equal(given, 1.0))
            arrays["confidence"] = pc.if_else(pc.fill_null(known, False), given, pa.scalar(None, pa.float64()))
        every = zip(EDGE_SCHEMA.names, EDGE_SCHEMA.types, strict=True)
        edges = pa.record_batch([arrays.get(name, pa.nulls(count, kind)) for name, kind in every], schema=EDGE_SCHEMA)
        named = edges.filter(pc.and_(pc.is_valid(edges["pre"]), pc.is_valid(edges["post"])))
        kept = named.filter(pc.fill_null(pc.greater(named["synapses"], 0), False))
        self.without_neuron += count - named.num_rows
        self.without_synapses += named.num_rows - kept.num_rows
        self.rows += kept.num_rows
        return kept


def _words(column: pa.Array) -> pa.Array:
    """Values as texts without blanks around; NULL is empty."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))


def _plain(name: str) -> str:
    """A column's name in small letters, words joined by _."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _neurons(column: pa.Array, where: str) -> pa.Array:
    """Neurons as texts; NULL where there is none, or 0.

    Raises:
        SegmentIdError: an id of 2^63 or more. TableError: ids that were kept as floats, and so lost digits.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_integer(column.type):
        column = read_ids(column, where)
    elif pa.types.is_floating(column.type):
        exact = pc.fill_null(pc.and_(pc.equal(pc.floor(column), column), pc.less(column, 2.0**53)), True)
        if not pc.all(exact).as_py():
            raise TableError(f"{where} are kept as {column.type}, which rounds large ids: they must be whole numbers")
        column = column.cast(pa.int64())
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    texts = pc.replace_substring_regex(texts, r"^0*(\d{1,15})\.0*$", r"\1")
    texts = pc.replace_substring_regex(texts, r"^0+(\d+)$", r"\1")
    numbers = pc.filter(texts, pc.fill_null(pc.match_substring_regex(texts, WHOLE), False))
    read_ids(numbers, where)
    rounded = pc.and_(pc.match_substring_regex(texts, NUMBER), pc.invert(pc.match_substring_regex(texts, WHOLE)))
    if pc.any(rounded).as_py():
        example = pc.filter(texts, pc.fill_null(rounded, False))[0].as_py()
        raise TableError(f"{where} hold {example}, which is no whole number: ids that were kept as floats lost digits")
    nobody = pc.or_(pc.equal(texts, ""), pc.equal(texts, "0"))
    return pc.if_else(pc.fill_null(nobody, True), pa.scalar(None, pa.string()), texts)


def _numbers(column: pa.Array, where: str) -> pa.Array:
    """Numbers as doubles; NULL where empty or not finite.

    Raises:
        TableError: a text that is none.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowException as error:
        raise TableError(f"{where} hold what is no number: {str(error).splitlines()[0]}") from error
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _whole_numbers(column: pa.Array, where: str) -> pa.Array:
    """Whole numbers of 0 or more as int64.

    Raises:
        TableError: one is less than 0 or has a fraction.
    """
    numbers = _numbers(column, where)
    wrong = pc.or_(pc.less(numbers, 0.0), pc.not_equal(pc.floor(numbers), numbers))
    if pc.any(wrong).as_py():
        example = pc.filter(numbers, pc.fill_null(wrong, False))[0].as_py()
        raise TableError(f"{where} hold {example:g}: synapses are counted, in whole numbers of 0 or more")
    return numbers.cast(pa.int64())


def _parts(rows: Iterable[Mapping[str, str]], size: int) -> Iterator[list[Mapping[str, str]]]:
    taken = iter(rows)
    while part := list(itertools.islice(taken, size)):
        yield part
