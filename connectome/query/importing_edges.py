"""Edge lists and matrices to runs of edges alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import TableError
from connectome.graph.graphml_edges import graphml_edges
from connectome.query.importing import file_sha256
from connectome.records import NoProgress, Progress
from connectome.store.database import Database
from connectome.store.findings.edge_lists import EdgeStaging
from connectome.store.findings.imports import import_run
from connectome.store.runs.records import NewImport, check_run_name
from connectome.tables.edge_reading import EdgeReader
from connectome.tables.results import RecordBatch
from connectome.tables.writing import csv_lines

GRAPHML = (".graphml", ".xml")


@dataclass(frozen=True, kw_only=True)
class EdgeImportRequest:
    """An edge list, a matrix or a GraphML file to take in.

    Attributes:
        path: the file.
        name: the run's name.
        data_set: what its ids belong to; None: a data set of its own, named like the run.
        matrix: whether the table is a matrix; None: what its columns say.
        renamed: columns of the table under names of its own, and the column of this project that each one is.
        only: columns of the table, and the values of which a row has to have one in each to count.
    """

    path: Path
    name: str
    data_set: str | None = None
    matrix: bool | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that is no run's.

        Raises:
            ConfigError: it is.
        """
        check_run_name(self.name)


@dataclass(frozen=True, kw_only=True)
class EdgeImportReport:
    """The report of an import.

    Attributes:
        edges, neurons, synapses: what the run has; synapses are counted, not known one by one.
        rows: rows taken in; several of a pair are one edge.
        named: whether neurons have names, and so were numbered: the names are annotations under the label `name`.
        counted: whether the table counts synapses; otherwise each row is one.
        without_neuron, without_synapses, retired, left_out: rows left out, as a neuron is missing, they count no
            synapse, the table marks them as no longer valid, or the request as not wanted.
        kinds: columns that tell kinds of connections apart, with their values where there are several: all were added
            up.
        dropped_columns: what the table says that has no place here.
    """

    name: str
    data_set: str
    edges: int
    neurons: int
    synapses: int
    rows: int
    named: bool
    counted: bool
    without_neuron: int
    without_synapses: int
    retired: int
    left_out: int
    kinds: dict[str, list[str]]
    dropped_columns: list[str]


def import_edges(database: Database, request: EdgeImportRequest, progress: Progress | None = None) -> EdgeImportReport:
    """Make a finished run of edges alone, in one transaction: an error leaves nothing behind.

    Rows of one pair are added up. Neurons are numbers or names; of names, each becomes a number of its data set.

    Raises:
        TableError, SegmentIdError, InputError: the file can't be read, lacks a column, or holds what a column can't.
        RunConflictError: a run of this name exists.
    """
    shown = progress or NoProgress()
    reader = EdgeReader(path=request.path, matrix=request.matrix, renamed=request.renamed, only=request.only)
    parameters = {
        "table": "edges",
        "files": [{"path": str(request.path.absolute()), "sha256": file_sha256(request.path)}],
        "renamed": dict(request.renamed),
        "only": {name: sorted(values) for name, values in request.only.items()},
    }
    new = NewImport(name=request.name, parameters=parameters, data_set=request.data_set, edges_only=True)
    with import_run(database, new) as loading:
        shown.start("import", 0, unit="edges")
        staging = EdgeStaging(loading)
        for batch in _batches(reader):
            staging.write(csv_lines(batch))
            shown.advance(batch.num_rows)
        counts = staging.add_up()
        if not counts.edges:
            raise TableError(f"{request.path} has no edge between two neurons: nothing was imported")
    shown.finish()
    return EdgeImportReport(
        name=request.name,
        data_set=request.data_set or request.name,
        edges=counts.edges,
        neurons=counts.neurons,
        synapses=counts.synapses,
        rows=reader.rows,
        named=counts.named,
        counted=reader.counted,
        without_neuron=reader.without_neuron,
        without_synapses=reader.without_synapses,
        retired=reader.retired,
        left_out=reader.left_out,
        kinds={name: sorted(values) for name, values in reader.kinds.items() if len(values) > 1},
        dropped_columns=reader.dropped_columns,
    )


def _batches(reader: EdgeReader) -> Iterator[RecordBatch]:
    path = reader.path
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    if name.suffix.lower() in GRAPHML:
        return reader.of_rows(graphml_edges(path))
    return reader.batches()
