"""The open connectome: every question as a method, every answer as an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connectome.query.networks import GraphChoice, build_graph, read_network
from connectome.query.questions import EVERYTHING, Neuron, Questions
from connectome.selection import Filter
from connectome.store.queries.streaming import Query, stream_query
from connectome.tables.matrix import pivot
from connectome.tables.results import Table, TableReceiver

if TYPE_CHECKING:
    from connectome.graph.network import Network


class Connectome(Questions[Table]):
    """A database of connectomes, open for questions.

    Every method takes `where`, a `Filter`: which run and roots, which synapses, which edges. Ids are those of neurons:
    segments, or roots where the filter names a version. The answers are `pyarrow.Table`s, in a fixed order; call
    `.to_pandas()` on them where pandas is installed.
    """

    def graph(
        self,
        library: str = "networkx",
        *,
        where: Filter = EVERYTHING,
        multi: bool = False,
        labels: Sequence[str] | None = None,
        isolated: bool = False,
    ) -> Any:
        """The graph of a run: edges have `weight` and `synapse_count`, nodes `label` and what they are annotated with.

        Args:
            library: networkx (a DiGraph, ids as texts), igraph (ids are the vertex attribute `id`), or scipy: a sparse
                matrix of synapses from the row's neuron to the column's, and the ids of rows and columns.
            where: what part of a connectome.
            multi: one edge a synapse, a MultiDiGraph; for networkx alone.
            labels: annotations that nodes carry; None: all.
            isolated: also annotated neurons without an edge in it.

        Raises:
            ConfigError: no such library, or nothing is annotated with a label.
            MissingLibraryError: igraph isn't installed.
        """
        choice = GraphChoice(where=where, multi=multi, labels=labels, isolated=isolated)
        return build_graph(self.database, choice, library, self._tell)

    def network(
        self, *, where: Filter = EVERYTHING, labels: Sequence[str] | None = None, isolated: bool = False
    ) -> Network:
        """The neurons and edges of a run as arrays: what the functions of `connectome.graph` take (see `graph`)."""
        choice = GraphChoice(where=where, labels=labels, isolated=isolated)
        return read_network(self.database, choice, self._tell)

    def neuron(self, one: Neuron, *, where: Filter = EVERYTHING) -> int:
        """The id of a neuron that is given by its id or its name.

        Raises:
            SegmentIdError, NeuronNotFoundError: it is none of the run's.
        """
        (found,) = self._ids(one, where)
        return found

    def _ask(self, query: Query) -> Table:
        receiver = TableReceiver()
        stream_query(self.database, query, receiver, timeout_s=self.timeout_s)
        return receiver.table()

    def _pivot(self, edges: Table, ids: Sequence[int]) -> Table:
        return pivot(edges, ids)
