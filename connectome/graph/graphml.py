"""GraphML files that networkx, igraph and Gephi read with the ids intact.

The ids of `<node>` are the segment ids: strings in networkx, the vertex attribute `id` (strings) in igraph. An `<edge>`
gets no id: igraph 1.0 reads one, but then gives the edges ids of vertices. A synapse's id is its attribute `cleft_id`.

GraphML has no word for a multigraph: a plain `networkx.read_graphml` turns one without parallel edges into a simple
graph, and its `force_multigraph=True` keeps it. `read_graphml` here looks at the graph's attribute `kind` and gives
back what was written, keys included.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from connectome.errors import InputError, VolumeNotFoundError
from connectome.files import whole_file
from connectome.graph.build import KIND, ConnectomeGraph, GraphKind, free_key


def write_graphml(graph: ConnectomeGraph, path: Path) -> None:
    """Write `graph` as GraphML, node by node, and put the file in place once it is whole.

    A file that is there is replaced; after an error or a kill it is as it was.

    Raises:
        InputError: the path ends in .gz (files aren't compressed), or an attribute holds what XML can't.
        StorageError: disk full, no such folder, no permission.
    """
    if path.suffix == ".gz":
        raise InputError(f"{path}: GraphML is written uncompressed, leave out '.gz'")
    try:
        with whole_file(path) as file:
            written: Any = _WithoutEdgeIds(graph)
            nx.write_graphml_lxml(written, file, named_key_ids=True)
    except ValueError as error:
        raise InputError(f"{path} can't be written as GraphML: {error}") from error


def read_graphml(path: Path) -> ConnectomeGraph:
    """Read a file of `write_graphml`: the same nodes, edges, keys and attributes, and the same class.

    Raises:
        VolumeNotFoundError: there is no such file.
        InputError: it isn't GraphML with directed edges.
    """
    try:
        found = nx.read_graphml(path, force_multigraph=True)
    except FileNotFoundError as error:
        raise VolumeNotFoundError(f"no file at {path}") from error
    except (ParseError, nx.NetworkXError) as error:
        raise InputError(f"{path} isn't a GraphML file: {error}") from error
    if not found.is_directed():
        raise InputError(f"{path} has undirected edges; a connectome's are directed")
    attributes = {name: value for name, value in found.graph.items() if name not in ("node_default", "edge_default")}
    return (
        _synapses_of(found, attributes) if attributes.get(KIND) == GraphKind.SYNAPSES else _edges_of(found, attributes)
    )


def _synapses_of(found: nx.Graph[str], attributes: dict[str, Any]) -> nx.MultiDiGraph[str]:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.graph.update(attributes)
    graph.add_nodes_from(found.nodes(data=True))
    for pre, post, data in found.edges(data=True):
        key = graph.add_edge(pre, post, free_key(graph, (pre, post), str(data.get("cleft_id"))))
        graph[pre][post][key].update(data)
    return graph


def _edges_of(found: nx.Graph[str], attributes: dict[str, Any]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.graph.update(attributes)
    graph.add_nodes_from(found.nodes(data=True))
    graph.add_edges_from(found.edges(data=True))
    return graph


class _WithoutEdgeIds:
    """What networkx's writer asks of a graph; it takes a multigraph for a simple one and so writes no edge ids."""

    def __init__(self, graph: ConnectomeGraph) -> None:
        self.graph = graph.graph
        self.nodes = graph.nodes
        self.edges = graph.edges
        self.is_directed = graph.is_directed

    def is_multigraph(self) -> bool:
        return False
