"""The neurons and edges of a run, read from the store as arrays, and as the graph of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectome.errors import ConfigError
from connectome.records import Edges, Synapses, Table
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.scope import Scope, find_scope
from connectome.store.queries.streaming import Query, stream_query, stream_rows

if TYPE_CHECKING:
    from connectome.graph.network import Attributes, Network

Tell = Callable[[str], object]
EVERYTHING = Filter()
SPELLED = {
    "pre_segment_id": "pre_id AS pre_segment_id",
    "post_segment_id": "post_id AS post_segment_id",
    "size_voxels": "coalesce(size_voxels, 0) AS size_voxels",
}
ANNOTATIONS = """annotation
    WHERE data_set_id = (SELECT data_set_id FROM run WHERE run_id = :run_id) AND roots_id = :roots_id"""
LABELS = f"SELECT DISTINCT label FROM {ANNOTATIONS} ORDER BY 1"
NODES = """, nodes AS (SELECT pre_id AS neuron_id FROM edges UNION SELECT post_id FROM edges{lonely})
, said AS (SELECT neuron_id{columns} FROM {annotations} GROUP BY neuron_id)
SELECT neuron_id{names} FROM nodes LEFT JOIN said USING (neuron_id) ORDER BY neuron_id"""


@dataclass(frozen=True, kw_only=True)
class GraphChoice:
    """What part of a connectome becomes a graph, and what its nodes say.

    Attributes:
        where: which run and roots, which synapses, which edges.
        multi: one edge a synapse instead of one edge for all synapses of a pair.
        labels: annotations that its nodes carry; None: all.
        isolated: also the annotated neurons without an edge in it.
    """

    where: Filter = EVERYTHING
    multi: bool = False
    labels: Sequence[str] | None = None
    isolated: bool = False


def read_network(database: Database, choice: GraphChoice, tell: Tell = lambda notice: None) -> Network:
    """The neurons and edges of a run as arrays.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
    """
    import numpy as np

    from connectome.graph.network import Network
    from connectome.tables.results import TableReceiver

    scope = find_scope(database, choice.where, tell)
    receiver = TableReceiver()
    stream_query(database, scope.query(f"{_select(Edges)} FROM edges"), receiver)
    table = receiver.table()
    edges = Edges.of_sql({name: table[name].to_numpy() for name in Edges.columns()})
    labels = graph_labels(database, scope, choice)
    with stream_rows(database, nodes_query(scope, labels, choice.isolated)) as found:
        rows = list(found.rows)
    return Network.of_edges(
        edges,
        ids=np.array([row[0] for row in rows], np.int64),
        labels={label: [row[place] for row in rows] for place, label in enumerate(labels, 1)},
        attributes=graph_attributes(scope),
    )


def build_graph(
    database: Database, choice: GraphChoice, library: str = "networkx", tell: Tell = lambda notice: None
) -> Any:
    """The graph of a finished run for a library.

    NetworkX: a DiGraph, or a MultiDiGraph with one edge a synapse (see `Network.to_networkx` and `synapse_graph`).
    igraph: the same. scipy: synapses from the row's neuron to the column's, and the ids of rows and columns.

    The filter chooses synapses, then edges, in the database; the multigraph holds the chosen synapses of the chosen
    edges, so both kinds have the same nodes and the same pairs. The run's name and the filter are attributes of the
    graph.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        ConfigError: no such library, or a multigraph is wanted that isn't NetworkX's.
        NoSynapsesError: a multigraph is wanted of a run that holds edges alone.
        MissingLibraryError: igraph isn't installed.
    """
    from connectome.graph.network import GraphLibrary, synapse_graph
    from connectome.tables.results import TableReceiver

    if library not in list(GraphLibrary):
        raise ConfigError(f"no graphs for '{library}': there are {', '.join(GraphLibrary)}")
    wanted = GraphLibrary(library)
    if choice.multi and wanted is not GraphLibrary.NETWORKX:
        raise ConfigError(f"one edge a synapse is for networkx, not {wanted}")
    network = read_network(database, choice, tell)
    match wanted:
        case GraphLibrary.IGRAPH:
            return network.to_igraph()
        case GraphLibrary.SCIPY:
            return network.adjacency(), network.ids
        case GraphLibrary.NETWORKX if not choice.multi:
            return network.to_networkx()
    receiver = TableReceiver()
    query = f"{_select(Synapses)} FROM synapses ORDER BY cleft_id, pre_id, post_id, number"
    stream_query(database, find_scope(database, choice.where).query(query), receiver)
    table = receiver.table()
    return synapse_graph(Synapses.of_sql({name: table[name].to_numpy() for name in Synapses.columns()}), network)


@contextmanager
def node_rows(
    database: Database, scope: Scope, labels: Sequence[str], isolated: bool
) -> Iterator[Iterator[tuple[int, str, Sequence[str | None]]]]:
    """The neurons of a graph, ascending: id, what it is called, and the values of the labels."""
    name = labels.index("name") + 1 if "name" in labels else None
    with stream_rows(database, nodes_query(scope, labels, isolated)) as found:
        yield ((row[0], str(row[0]) if name is None or row[name] is None else row[name], row[1:]) for row in found.rows)


def nodes_query(scope: Scope, labels: Sequence[str], isolated: bool) -> Query:
    """The neurons of a graph, ascending: neuron_id, then a column a label."""
    columns = [f", max(value) FILTER (WHERE label = :label_{i}) AS said_{i}" for i in range(len(labels))]
    text = NODES.format(
        lonely=f" UNION SELECT neuron_id FROM {ANNOTATIONS}" if isolated else "",
        columns="".join(columns),
        annotations=ANNOTATIONS,
        names="".join(f", said_{i}" for i in range(len(labels))),
    )
    wanted: dict[str, Any] = {f"label_{i}": label for i, label in enumerate(labels)}
    return scope.query(text, **wanted)


def graph_labels(database: Database, scope: Scope, choice: GraphChoice) -> list[str]:
    """The labels that nodes carry.

    Raises:
        ConfigError: nothing is annotated with one that is wanted.
    """
    key = {"run_id": scope.run.run_id, "roots_id": scope.roots_id}
    with stream_rows(database, Query(sql=LABELS, parameters=key)) as found:
        known = [label for (label,) in found.rows]
    wanted = known if choice.labels is None else list(dict.fromkeys(choice.labels))
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise ConfigError(f"no neuron is annotated with '{unknown[0]}': there are {', '.join(known) or 'no labels'}")
    return wanted


def _select(rows: type[Table]) -> str:
    """The columns of a table's rows; their partners are neurons."""
    return "SELECT " + ", ".join(SPELLED.get(name, name) for name in rows.columns())


def graph_attributes(scope: Scope) -> Attributes:
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
