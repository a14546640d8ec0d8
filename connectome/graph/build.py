"""NetworkX graphs from rows.

Nodes are segment ids as strings: the only form that GraphML carries unharmed into every reader (igraph, for one, reads
whole numbers as doubles and rounds ids above 2^53). For the same reason `cleft_id` is a string. All attributes are
plain str, int or float, one type each, so that every export takes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum

import networkx as nx

from connectome.records import Edge, SynapseRow

ConnectomeGraph = nx.DiGraph | nx.MultiDiGraph
KIND = "kind"


class GraphKind(StrEnum):
    """What an edge of the graph stands for; kept in the graph's attribute `kind`."""

    EDGES = "edges"
    SYNAPSES = "synapses"


def edge_graph(edges: Iterable[Edge], attributes: Mapping[str, str | int | float] | None = None) -> nx.DiGraph:
    """A graph with one edge for all synapses from one segment to another.

    Edge attributes: synapse_count (int), size_voxels (int, all its clefts), mean_confidence (float; none where it is
    unknown).

    Args:
        edges: distinct in (pre, post).
        attributes: kept on the graph itself: run name, thresholds.
    """
    graph = nx.DiGraph(**{**(attributes or {}), KIND: str(GraphKind.EDGES)})
    for edge in edges:
        graph.add_edge(
            str(int(edge.pre_segment_id)),
            str(int(edge.post_segment_id)),
            synapse_count=int(edge.synapse_count),
            size_voxels=int(edge.size_voxels),
            **_if_known("mean_confidence", edge.mean_confidence),
        )
    return graph


def synapse_graph(
    synapses: Iterable[SynapseRow], attributes: Mapping[str, str | int | float] | None = None
) -> nx.MultiDiGraph:
    """A graph with one edge a synapse.

    Edge attributes: cleft_id (str), confidence (float; none where it is unknown), size_voxels (int), x_nm, y_nm, z_nm
    (float, the cleft's centroid). An edge's key is its cleft_id; a polyadic cleft's synapses share it, on different
    pairs.

    Args:
        synapses: distinct in (cleft, pre, post).
        attributes: kept on the graph itself: run name, thresholds.
    """
    graph = nx.MultiDiGraph(**{**(attributes or {}), KIND: str(GraphKind.SYNAPSES)})
    for row in synapses:
        cleft, pre, post = str(int(row.cleft_id)), str(int(row.pre_segment_id)), str(int(row.post_segment_id))
        z_nm, y_nm, x_nm = row.centroid_nm
        graph.add_edge(
            pre,
            post,
            key=cleft,
            cleft_id=cleft,
            **_if_known("confidence", row.confidence),
            size_voxels=int(row.size_voxels),
            x_nm=float(x_nm),
            y_nm=float(y_nm),
            z_nm=float(z_nm),
        )
    return graph


def _if_known(name: str, value: float | None) -> dict[str, float]:
    """A value as an attribute; none where it is unknown."""
    return {} if value is None or math.isnan(value) else {name: float(value)}
