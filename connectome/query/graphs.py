"""Graphs of runs: two to be compared, and one streamed from the store into a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from connectome.files import whole_file
from connectome.query.networks import GraphChoice, Tell, graph_attributes, graph_labels, node_rows, read_network
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.scope import Scope, find_scope
from connectome.store.queries.streaming import stream_rows, stream_text
from connectome.store.runs.runs import get_run, run_names

if TYPE_CHECKING:
    from connectome.graph.network import Network
    from connectome.graph.text_formats import GraphHead, TextFormat

GRAPHML_NAME = "graph.graphml"
EDGES = """
SELECT pre_id, post_id, synapse_count AS weight, synapse_count, size_voxels, mean_confidence FROM edges"""
SYNAPSES = """
SELECT pre_id, post_id, 1 AS weight,
       cleft_id || CASE WHEN row_number() OVER same > 1 THEN '.' || row_number() OVER same ELSE '' END AS key,
       cleft_id, confidence, coalesce(size_voxels, 0) AS size_voxels, x_nm, y_nm, z_nm
FROM synapses WINDOW same AS (PARTITION BY cleft_id, pre_id, post_id ORDER BY number)"""


class GraphFormat(StrEnum):
    """A text format of graphs."""

    GRAPHML = "graphml"
    GEXF = "gexf"
    NODE_LINK = "json"
    CYTOSCAPE = "cyjs"


@dataclass(frozen=True, kw_only=True)
class SavedGraph:
    """A graph file and how much is in it; of a multigraph, edges are synapses."""

    path: Path
    nodes: int
    edges: int
    synapses: int


def read_pair(
    database: Database, first: str, second: str, where: Filter, tell: Tell = lambda notice: None
) -> tuple[Network, Network]:
    """Two parts of connectomes, each the name of a run, or RUN@VERSION of its roots; the filter says the rest.

    `tell` is told where they are of different data sets, as ids then mean different neurons.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
    """
    known = run_names(database)
    filters = []
    for text in (first, second):
        run, _, roots = (text, "", "") if text in known else text.rpartition("@") if "@" in text else (text, "", "")
        filters.append(replace(where, run=run or where.run, roots=roots or where.roots))
    scopes = [find_scope(database, one, tell) for one in filters]
    if scopes[0].run.data_set_id != scopes[1].run.data_set_id:
        tell(f"'{first}' and '{second}' are of different data sets: the same id may mean different neurons")
    one, other = (read_network(database, GraphChoice(where=chosen, labels=())) for chosen in filters)
    return one, other


def export_graph(
    database: Database, path: Path | None, written: GraphFormat, choice: GraphChoice, tell: Tell = lambda notice: None
) -> SavedGraph:
    """Write a run's graph as text, streaming: memory doesn't grow with it.

    Args:
        database: where the run is.
        path: the file; None: graph.graphml in the run's folder. A name that ends in .gz is compressed.
        written: the format.
        choice: what goes into it.
        tell: is told which run answers where the filter names none.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        InputError: an annotation holds characters that the format can't.
        StorageError: the file can't be written; what was there is kept.
    """
    from connectome.graph.text_formats import EdgeFile, edge_sql

    scope = find_scope(database, choice.where, tell)
    target = path or get_run(database, scope.run.name).folder / GRAPHML_NAME
    labels = graph_labels(database, scope, choice)
    shown = _format(written, _head(scope, labels, choice.multi))
    nodes = 0
    with whole_file(target) as file:
        file.write(shown.begin().encode())
        with node_rows(database, scope, labels, choice.isolated) as rows:
            for neuron_id, label, values in rows:
                file.write(((shown.separator if nodes else "") + shown.node(neuron_id, label, values)).encode())
                nodes += 1
        file.write(shown.between().encode())
        edges = EdgeFile(shown, file)
        lines, order = (SYNAPSES, "cleft_id, pre_id, post_id, key") if choice.multi else (EDGES, "pre_id, post_id")
        # sorted as numbers first: the texts are many times as wide
        text = f", lines AS ({lines} ORDER BY {order}) SELECT {edge_sql(shown)} FROM lines"
        stream_text(database, scope.query(text), edges)
        file.write(shown.end().encode())
        synapses = edges.rows if choice.multi else _synapses(database, scope)
    return SavedGraph(path=target, nodes=nodes, edges=edges.rows, synapses=synapses)


def _synapses(database: Database, scope: Scope) -> int:
    with stream_rows(database, scope.query("SELECT coalesce(sum(synapse_count), 0)::bigint FROM edges")) as found:
        ((count,),) = found.rows
    return int(count)


def _format(written: GraphFormat, head: GraphHead) -> TextFormat:
    from connectome.graph import text_formats

    match written:
        case GraphFormat.GRAPHML:
            return text_formats.GraphMl(head)
        case GraphFormat.GEXF:
            return text_formats.Gexf(head)
        case GraphFormat.NODE_LINK:
            return text_formats.NodeLink(head)
        case GraphFormat.CYTOSCAPE:
            return text_formats.Cytoscape(head)


def _head(scope: Scope, labels: Sequence[str], multi: bool) -> GraphHead:
    from connectome.graph.network import KIND, GraphKind, attribute_name
    from connectome.graph.text_formats import EDGE_COLUMNS, SYNAPSE_COLUMNS, GraphHead

    kind = GraphKind.SYNAPSES if multi else GraphKind.EDGES
    return GraphHead(
        attributes={**graph_attributes(scope), KIND: kind.value},
        labels=[attribute_name(label) for label in labels],
        columns=SYNAPSE_COLUMNS if multi else EDGE_COLUMNS,
        multi=multi,
    )
