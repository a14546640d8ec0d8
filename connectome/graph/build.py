"""NetworkX graphs from rows.

Nodes are segment ids as strings: the only form that GraphML carries unharmed into every reader (igraph, for one, reads
whole numbers as doubles and rounds ids above 2^53). For the same reason `cleft_id` is a string. All attributes are
plain str, int or float, one type each, so that every export takes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import networkx as nx

from connectome.records import Edges, Synapses, Table

ConnectomeGraph: TypeAlias = "nx.DiGraph[str] | nx.MultiDiGraph[str]"
KIND = "kind"


class GraphKind(StrEnum):
    """What an edge of the graph stands for; kept in the graph's attribute `kind`."""

    EDGES = "edges"
    SYNAPSES = "synapses"


def edge_graph(edges: Edges, attributes: Mapping[str, str | int | float] | None = None) -> nx.DiGraph[str]:
    """A graph with one edge for all synapses from one segment to another.

    Edge attributes: synapse_count (int), size_voxels (int, all its clefts), mean_confidence (float; none where it is
    unknown).

    Args:
        edges: distinct in (pre, post).
        attributes: kept on the graph itself: run name, filter.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.graph.update({**(attributes or {}), KIND: str(GraphKind.EDGES)})
    for pre, post, count, size_voxels, confidence in _rows(edges):
        graph.add_edge(
            str(pre),
            str(post),
            synapse_count=count,
            size_voxels=size_voxels,
            **_if_known("mean_confidence", confidence),
        )
    return graph


def synapse_graph(
    synapses: Synapses, attributes: Mapping[str, str | int | float] | None = None
) -> nx.MultiDiGraph[str]:
    """A graph with one edge a synapse.

    Edge attributes: cleft_id (str), confidence (float; none where it is unknown), size_voxels (int), x_nm, y_nm, z_nm
    (float, the cleft's centroid). An edge's key is its cleft_id, or follows from it (see `free_key`).

    Args:
        synapses: one a row.
        attributes: kept on the graph itself: run name, filter.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.graph.update({**(attributes or {}), KIND: str(GraphKind.SYNAPSES)})
    for cleft, pre, post, confidence, size_voxels, (z_nm, y_nm, x_nm) in _rows(synapses):
        graph.add_edge(
            str(pre),
            str(post),
            key=free_key(graph, (str(pre), str(post)), str(cleft)),
            cleft_id=str(cleft),
            **_if_known("confidence", confidence),
            size_voxels=size_voxels,
            x_nm=x_nm,
            y_nm=y_nm,
            z_nm=z_nm,
        )
    return graph


def free_key(graph: nx.MultiDiGraph[str], pair: tuple[str, str], cleft_id: str) -> str:
    """The key of a synapse's edge: its cleft, or cleft.2, cleft.3 ... for further synapses of one cleft and one pair.

    Between segments there is one; roots may join several postsynaptic segments of a polyadic cleft into one neuron.
    """
    keys = (cleft_id, *(f"{cleft_id}.{number}" for number in range(2, graph.number_of_edges(*pair) + 2)))
    return next(key for key in keys if not graph.has_edge(*pair, key=key))


def _if_known(name: str, value: float) -> dict[str, float]:
    """A value as an attribute; none where it is unknown."""
    return {} if math.isnan(value) else {name: value}


def _rows(table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows as plain numbers: NetworkX keeps what it is given."""
    return zip(*(getattr(table, name).tolist() for name in table.described()), strict=True)
