"""A connectome as arrays: what every analysis takes, and what NetworkX, igraph and scipy graphs are made from.

Nodes of graphs are ids as strings: the only form that GraphML and JSON carry unharmed into every reader (igraph, for
one, reads whole numbers as doubles and rounds ids above 2^53). All attributes are plain str, int or float, one type
each, so that every writer takes them; what isn't known is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import MissingLibraryError
from connectome.records import Edges, Synapses

if TYPE_CHECKING:
    import igraph
    import networkx as nx
    from scipy.sparse import csr_array

Attributes = Mapping[str, str | int | float]
Labels = Mapping[str, Sequence[str | None]]
KIND = "kind"
NAME = "name"
TAKEN = ("id", "label", "value")
"""Attributes of nodes that formats use themselves."""


class GraphKind(StrEnum):
    """What an edge of the graph stands for; kept in the graph's attribute `kind`."""

    EDGES = "edges"
    SYNAPSES = "synapses"


class GraphLibrary(StrEnum):
    """Whose graph is wanted."""

    NETWORKX = "networkx"
    IGRAPH = "igraph"
    SCIPY = "scipy"


@dataclass(frozen=True, kw_only=True)
class Network:
    """Neurons and the edges between them.

    Attributes:
        ids: int64 (n,), the neurons, ascending.
        pre, post: int64 (m,), places in `ids`; distinct as pairs, ordered by pre, then post.
        synapse_count, size_voxels: int64 (m,).
        mean_confidence: float64 (m,), NaN where it isn't known.
        labels: what neurons are annotated with: one list (n,) a label, None where nothing is said.
        attributes: which run, roots and filter.
    """

    ids: NDArray[np.int64]
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    synapse_count: NDArray[np.int64]
    size_voxels: NDArray[np.int64]
    mean_confidence: NDArray[np.float64]
    labels: Labels = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def of_edges(
        cls,
        edges: Edges,
        ids: NDArray[np.int64] | None = None,
        labels: Labels | None = None,
        attributes: Attributes | None = None,
    ) -> Network:
        """A network of edges, distinct in (pre, post).

        Args:
            edges: the edges.
            ids: all neurons, ascending, also those without an edge; None: those of the edges.
            labels: what those neurons are annotated with.
            attributes: which run, roots and filter.
        """
        order = np.lexsort((edges.post_segment_id, edges.pre_segment_id))
        edges = edges.take(order)
        known = np.unique(np.concatenate([edges.pre_segment_id, edges.post_segment_id])) if ids is None else ids
        return cls(
            ids=known,
            pre=np.searchsorted(known, edges.pre_segment_id),
            post=np.searchsorted(known, edges.post_segment_id),
            synapse_count=edges.synapse_count,
            size_voxels=edges.size_voxels,
            mean_confidence=edges.mean_confidence,
            labels=labels or {},
            attributes=attributes or {},
        )

    @cached_property
    def names(self) -> list[str]:
        """What each neuron is called: its annotation `name`, else its id."""
        named = self.labels.get(NAME) or [None] * len(self.ids)
        return [str(one) if name is None else name for one, name in zip(self.ids.tolist(), named, strict=True)]

    def adjacency(self) -> csr_array:
        """Synapses from the row's neuron to the column's, int64 (n, n) in the order of `ids`."""
        from scipy.sparse import csr_array

        size = len(self.ids)
        return csr_array((self.synapse_count, (self.pre, self.post)), shape=(size, size))

    def to_networkx(self) -> nx.DiGraph[str]:
        """A graph with one edge for all synapses of a pair.

        Nodes are ids as strings, with `label` and every annotation; edges have weight and synapse_count (int, the
        same), size_voxels (int) and mean_confidence (float; none where it isn't known).
        """
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.graph.update({**self.attributes, KIND: str(GraphKind.EDGES)})
        graph.add_nodes_from(self.nodes())
        graph.add_edges_from(self._edges())
        return graph

    def to_igraph(self) -> igraph.Graph:
        """The same as `to_networkx` for igraph: the ids are the vertex attribute `id` (str).

        Raises:
            MissingLibraryError: igraph isn't installed.
        """
        graph = igraph_module().Graph(n=len(self.ids), edges=np.stack([self.pre, self.post], 1).tolist(), directed=True)
        for name, value in {**self.attributes, KIND: str(GraphKind.EDGES)}.items():
            graph[name] = value
        graph.vs["id"] = [str(one) for one in self.ids.tolist()]
        graph.vs["label"] = self.names
        for name, values in self.labels.items():
            graph.vs[attribute_name(name)] = list(values)
        graph.es["weight"] = graph.es["synapse_count"] = self.synapse_count.tolist()
        graph.es["size_voxels"] = self.size_voxels.tolist()
        graph.es["mean_confidence"] = self.mean_confidence.tolist()
        return graph

    def nodes(self) -> Iterator[tuple[str, dict[str, str]]]:
        """The nodes with their attributes."""
        names = [attribute_name(name) for name in self.labels]
        said = zip(*self.labels.values(), strict=True) if names else ((),) * len(self.ids)
        for one, label, values in zip(self.ids.tolist(), self.names, said, strict=True):
            known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            yield str(one), {"label": label, **known}

    def _edges(self) -> Iterator[tuple[str, str, dict[str, int | float]]]:
        names = [str(one) for one in self.ids.tolist()]
        columns = (self.pre, self.post, self.synapse_count, self.size_voxels, self.mean_confidence)
        for pre, post, count, size, confidence in zip(*(column.tolist() for column in columns), strict=True):
            sums = {"weight": count, "synapse_count": count, "size_voxels": size}
            yield names[pre], names[post], sums | _if_known("mean_confidence", confidence)

    def __len__(self) -> int:
        """How many edges."""
        return len(self.pre)


def synapse_graph(synapses: Synapses, network: Network) -> nx.MultiDiGraph[str]:
    """A graph with one edge a synapse.

    Edge attributes: weight (1), cleft_id (str), confidence (float; none where it isn't known), size_voxels (int), x_nm,
    y_nm, z_nm (float, the cleft's centroid). An edge's key is its cleft_id, or cleft_id.2, cleft_id.3 ... for further
    synapses of one cleft and one pair: roots may join postsynaptic segments of a polyadic cleft into one neuron.

    Args:
        synapses: one a row.
        network: its nodes, and what graph this is.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.graph.update({**network.attributes, KIND: str(GraphKind.SYNAPSES)})
    graph.add_nodes_from(network.nodes())
    columns = (getattr(synapses, name).tolist() for name in synapses.described())
    for cleft, pre, post, confidence, size_voxels, (z_nm, y_nm, x_nm) in zip(*columns, strict=True):
        key, further = str(cleft), 2
        while graph.has_edge(str(pre), str(post), key=key):
            key, further = f"{cleft}.{further}", further + 1
        values = {"weight": 1, "cleft_id": str(cleft), "size_voxels": size_voxels} | _if_known("confidence", confidence)
        graph.add_edge(str(pre), str(post), key=key, **values, x_nm=x_nm, y_nm=y_nm, z_nm=z_nm)
    return graph


def attribute_name(label: str) -> str:
    """A label as the attribute of a node: names that formats use themselves get a _ at the end."""
    return f"{label}_" if label in TAKEN else label


def igraph_module() -> Any:
    """The library igraph, which is GPL and so comes with the extra `graph` alone.

    Raises:
        MissingLibraryError: it isn't installed.
    """
    try:
        import igraph
    except ImportError as error:
        raise MissingLibraryError("this needs igraph: pip install 'connectome-em[graph]'") from error
    return igraph


def _if_known(name: str, value: float) -> dict[str, float]:
    return {} if math.isnan(value) else {name: value}
