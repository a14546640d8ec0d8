"""Runs to tables: synapses and edges streamed from the database into files, in the columns people know."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from connectome.errors import ConfigError
from connectome.files import refuse_existing, whole_folder
from connectome.graph.network import attribute_name
from connectome.query.networks import GraphChoice, graph_labels, node_rows, nodes_query, read_network
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.library import ready_query
from connectome.store.queries.scope import SEGMENTS, find_scope
from connectome.store.queries.streaming import ColumnType, stream_query
from connectome.tables.column_sets import SYNAPSE_SCHEMA
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.neuprint import write_neuprint
from connectome.tables.results import BatchReceiver, TableReceiver
from connectome.tables.synapse_writing import TableTarget, write_edges, write_synapses
from connectome.tables.writing import write_table

NEO4J_EDGES = (
    ":START_ID(Neuron),:END_ID(Neuron),weight:int,synapse_count:int,size_voxels:long,mean_confidence:double,:TYPE\n"
)
OF_NEO4J = """
SELECT pre_id, post_id, synapse_count AS weight, synapse_count, size_voxels, mean_confidence, 'ConnectsTo' AS type
FROM edges ORDER BY pre_id, post_id"""
LINES = (
    "SELECT pre_id, post_id, cleft_id, confidence, coalesce(size_voxels, 0)::bigint AS size_voxels, "
    + ", ".join(f"coalesce({s}_{a}_nm, {a}_nm) AS {s}_{a}" for s in ("pre", "post") for a in "xyz")
    + " FROM synapses ORDER BY cleft_id, number"
)
Tell = Callable[[str], object]
PARTNERS = {f"{side}_segment_id": f"{side}_id AS {side}_segment_id" for side in ("pre", "post")}
# with roots as partners, the segments would be lost: they are what later proofreading moves
KEPT_SEGMENTS = {
    f"{side}_supervoxel_id": f"coalesce({side}_supervoxel_id, {side}_segment_id) AS {side}_supervoxel_id"
    for side in ("pre", "post")
}


def export_synapses(
    database: Database,
    target: TableTarget,
    where: Filter,
    tell: Tell = lambda notice: None,
    *,
    partners: Path | None = None,
) -> int:
    """Write synapses, ordered by cleft; returns how many.

    Args:
        database: where the run is.
        target: the file, its kind, its columns and the unit of its positions; neuPrint's points.
        where: which run and roots, which synapses, which edges; with roots, these are the partners that are written.
        tell: is told which run answers where the filter names none.
        partners: where neuPrint's second table goes.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        ConfigError: neuPrint's second file is missing, or not neuPrint's columns are asked for.
        TableError: these columns can't hold the run. StorageError: a file can't be written.
    """
    if (target.columns is Columns.NEUPRINT) != (partners is not None):
        raise ConfigError("neuPrint's columns are two tables, and only those", about="partners")
    scope = find_scope(database, where, tell)
    spelled = PARTNERS if scope.roots_id == SEGMENTS else PARTNERS | KEPT_SEGMENTS
    columns = ", ".join(spelled.get(name, name) for name in SYNAPSE_SCHEMA.names)
    query = scope.query(f"SELECT {columns} FROM synapses ORDER BY cleft_id, number")
    opened = (
        write_synapses(target)
        if partners is None
        else write_neuprint(target.path, partners, target.kind, target.unit_nm)
    )
    with opened as writer:
        receiver = BatchReceiver(lambda batch: writer.write_batch(batch.cast(SYNAPSE_SCHEMA)))
        stream_query(database, query, receiver)
        receiver.flush()
    return receiver.rows


def export_edges(database: Database, target: TableTarget, where: Filter, tell: Tell = lambda notice: None) -> int:
    """Write edges, ordered by their neurons; returns how many.

    `tell` is told which run answers where the filter names none.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the file can't be written.
    """
    query = ready_query("edges").asked(find_scope(database, where, tell))
    with write_edges(target) as writer:
        receiver = BatchReceiver(writer.write_batch)
        stream_query(database, query, receiver)
        receiver.flush()
    return receiver.rows


def export_neurons(database: Database, path: Path, kind: FileKind, choice: GraphChoice, tell: Tell) -> int:
    """Write the neurons of a graph, ascending, a column a label; returns how many.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the file can't be written.
    """
    scope = find_scope(database, choice.where, tell)
    labels = graph_labels(database, scope, choice)
    receiver = TableReceiver()
    stream_query(database, nodes_query(scope, labels, choice.isolated), receiver)
    table = receiver.table().rename_columns(["neuron_id", *map(attribute_name, labels)])
    write_table(path, kind, table)
    return int(table.num_rows)


def export_npz(database: Database, path: Path, choice: GraphChoice, tell: Tell) -> tuple[int, int]:
    """Write the matrix of synapses as scipy reads it, with the ids of its rows and columns; neurons and edges.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the file can't be written.
    """
    from connectome.graph.sparse_file import write_npz

    network = read_network(database, choice, tell)
    write_npz(network, path)
    return len(network.ids), len(network)


def export_neo4j(database: Database, folder: Path, choice: GraphChoice, tell: Tell) -> tuple[int, int]:
    """Write neurons.csv and edges.csv for `neo4j-admin database import`; returns how many of each.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the folder is there or can't be written.
    """
    scope = find_scope(database, choice.where, tell)
    labels = graph_labels(database, scope, choice)
    counts = [0, 0]
    refuse_existing(folder)
    with whole_folder(folder) as partial:
        partial.mkdir()
        with (partial / "neurons.csv").open("w", newline="", encoding="utf-8") as file:
            nodes = csv.writer(file, lineterminator="\n")
            nodes.writerow(["neuronId:ID(Neuron)", "label", *map(attribute_name, labels), ":LABEL"])
            with node_rows(database, scope, labels, choice.isolated) as rows:
                for neuron_id, label, values in rows:
                    nodes.writerow([neuron_id, label, *("" if v is None else v for v in values), "Neuron"])
                    counts[0] += 1
        with (partial / "edges.csv").open("wb") as edges:
            edges.write(NEO4J_EDGES.encode())
            receiver = _Lines(edges)
            stream_query(database, scope.query(OF_NEO4J), receiver)
            counts[1] = receiver.rows
    return counts[0], counts[1]


class _Lines:
    """Writes CSV lines as they come, one a call."""

    def __init__(self, file: BinaryIO) -> None:
        self.rows = 0
        self._file = file

    def begin(self, columns: Sequence[tuple[str, ColumnType]]) -> None:
        """The columns are known."""

    def write(self, lines: bytes) -> None:
        self.rows += 1
        self._file.write(lines)


def export_annotations(database: Database, folder: Path, where: Filter, tell: Tell) -> int:
    """Write synapses as Neuroglancer's precomputed annotations: lines from pre to post; returns how many.

    A partner without a point has its cleft's centroid. Relationships: pre, post and cleft. Properties: confidence, NaN
    where it isn't known, and size_voxels, 0 where it isn't.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        NoSynapsesError: the run holds edges alone. StorageError: the folder is there or can't be written.
    """
    import numpy as np

    from connectome.volumes.annotation_layer import AnnotationLines, write_annotation_layer

    receiver = TableReceiver()
    stream_query(database, find_scope(database, where, tell).query(LINES), receiver)
    table = receiver.table()
    column = {name: table[name].to_numpy() for name in table.column_names}
    ends = (np.stack([column[f"{side}_{axis}"] for axis in "zyx"], 1) for side in ("pre", "post"))
    start, end = (points.astype(np.float64).reshape(-1, 3) for points in ends)
    lines = AnnotationLines(
        start_nm=start,
        end_nm=end,
        properties={
            "confidence": column["confidence"].astype(np.float32),
            "size_voxels": np.minimum(column["size_voxels"], 2**32 - 1).astype(np.uint32),
        },
        relationships={side: column[f"{side}_id"].astype(np.uint64) for side in ("pre", "post", "cleft")},
    )
    refuse_existing(folder)
    with whole_folder(folder) as partial:
        write_annotation_layer(partial, lines)
    return len(lines)
