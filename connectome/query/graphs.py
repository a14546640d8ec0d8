"""Graphs of a run, from the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectome.graph.build import ConnectomeGraph, edge_graph, synapse_graph
from connectome.graph.graphml import write_graphml
from connectome.graph.summary import GraphSummary, summarise
from connectome.records import Edges, Synapses, Table
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.scope import Scope, find_scope
from connectome.store.runs.runs import get_run

GRAPHML_NAME = "graph.graphml"
EVERYTHING = Filter()
SPELLED = {
    "pre_segment_id": "pre_id AS pre_segment_id",
    "post_segment_id": "post_id AS post_segment_id",
    "size_voxels": "coalesce(size_voxels, 0) AS size_voxels",
}


@dataclass(frozen=True, kw_only=True)
class SavedGraph:
    """A graph file and what is in it."""

    path: Path
    summary: GraphSummary


def build_graph(database: Database, where: Filter = EVERYTHING, *, multi: bool = False) -> ConnectomeGraph:
    """The NetworkX graph of a finished run: a DiGraph, or a MultiDiGraph with one edge a synapse.

    The filter chooses synapses, then edges, in the database; the multigraph holds the chosen synapses of the chosen
    edges, so both kinds have the same nodes and the same pairs. The run's name and the filter are attributes of the
    graph.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
    """
    return _graph(database, find_scope(database, where), multi)


def export_graphml(
    database: Database,
    path: Path | None = None,
    where: Filter = EVERYTHING,
    *,
    multi: bool = False,
    tell: Callable[[str], object] = lambda notice: None,
) -> SavedGraph:
    """Build a run's graph and write it as GraphML.

    Args:
        database: where the run is.
        path: the file; None = graph.graphml in the run's folder.
        where: what goes into the graph: which run and roots, which synapses, which edges.
        multi: one edge a synapse instead of one edge for all synapses of a pair.
        tell: is told which run answers where the filter names none.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the file can't be written; what was there is kept.
    """
    scope = find_scope(database, where, tell)
    target = path or get_run(database, scope.run.name).folder / GRAPHML_NAME
    graph = _graph(database, scope, multi)
    write_graphml(graph, target)
    return SavedGraph(path=target, summary=summarise(graph))


def _graph(database: Database, scope: Scope, multi: bool) -> ConnectomeGraph:
    attributes = _attributes(scope)
    if multi:
        query = scope.query(f"{_select(Synapses)} FROM synapses ORDER BY cleft_id, pre_id, post_id, number")
        return synapse_graph(Synapses.of_sql(database.columns(query.sql, query.parameters)), attributes)
    query = scope.query(f"{_select(Edges)} FROM edges ORDER BY pre_id, post_id")
    return edge_graph(Edges.of_sql(database.columns(query.sql, query.parameters)), attributes)


def _select(rows: type[Table]) -> str:
    """The columns of a table's rows; their partners are neurons."""
    return "SELECT " + ", ".join(SPELLED.get(name, name) for name in rows.columns())


def _attributes(scope: Scope) -> dict[str, str | int | float]:
    """The run's name and the filter; only thresholds are there where they leave nothing out."""
    chosen = scope.filter
    others = {name: value for name, value in vars(chosen).items() if name not in ("run", "min_synapses")}
    given = {name: value for name, value in others.items() if value is not None}
    return {
        "run": scope.run.name,
        "min_synapses": chosen.min_synapses,
        "min_confidence": 0.0,
        **{name: value if isinstance(value, str | int | float) else str(value) for name, value in given.items()},
    }
