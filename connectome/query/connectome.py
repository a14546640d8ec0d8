"""The open connectome: every question as a method, every answer as an Arrow table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType

from connectome.errors import ConfigError
from connectome.query.asking import Neurons, ask, find_scope, neuron_ids
from connectome.selection import Direction, Filter, NmBox, Side
from connectome.store.database import Database
from connectome.store.queries import network, neurons, synapses
from connectome.store.queries.scope import Scope
from connectome.store.queries.streaming import Query
from connectome.tables.matrix import pivot
from connectome.tables.results import Table

EVERYTHING = Filter()
TIMEOUT_S = 60.0


class Connectome:
    """A database of connectomes, open for questions.

    Every method takes `where`, a `Filter`: which run and roots, which synapses, which edges. Ids are those of neurons:
    segments, or roots where the filter names a version. The answers are `pyarrow.Table`s, in a fixed order; call
    `.to_pandas()` on them where pandas is installed.
    """

    def __init__(self, database: Database, timeout_s: float = TIMEOUT_S) -> None:
        """Ask an open database (see `open`)."""
        self.database = database
        self.timeout_s = timeout_s

    @classmethod
    def open(
        cls, url: str | None = None, data_folder: str | Path = "connectome-data", *, timeout_s: float = TIMEOUT_S
    ) -> Connectome:
        """Open a database.

        Args:
            url: postgresql://user@host/database; None: CONNECTOME_DATABASE_URL, else the data folder's own server.
            data_folder: what builds were given.
            timeout_s: the longest that the database may take for a question; a longer one raises QueryError.

        Raises:
            DatabaseError, SchemaError: unreachable, nothing there yet, or of another version.
        """
        return cls(Database.open(url, Path(data_folder)), timeout_s)

    def synapses(self, *, pre: Neurons | None = None, post: Neurons | None = None, where: Filter = EVERYTHING) -> Table:
        """Synapses one by one, from neurons `pre` and to neurons `post` where given."""
        query = synapses.synapses(
            self._scope(where),
            pre=None if pre is None else neuron_ids(pre),
            post=None if post is None else neuron_ids(post),
        )
        return self._ask(query)

    def in_box(self, box: NmBox | str, *, where: Filter = EVERYTHING) -> Table:
        """The synapses whose clefts' centroids lie in a box: an `NmBox`, or a text z0:z1,y0:y1,x0:x1 in nm.

        The same as `synapses` with that box in the filter.
        """
        if where.box_nm is not None:
            raise ConfigError("the filter has a box already (--box-nm): give one")
        chosen = box if isinstance(box, NmBox) else NmBox.parse(box)
        return self.synapses(where=replace(where, box_nm=chosen))

    def edges(self, *, where: Filter = EVERYTHING) -> Table:
        """All edges, ordered by their neurons."""
        return self._ask(network.edges(self._scope(where)))

    def partners(
        self, of: Neurons, *, direction: Direction | str = Direction.BOTH, where: Filter = EVERYTHING
    ) -> Table:
        """The partners of neurons with counts and fractions, the strongest first.

        `input_fraction` is an edge's share of all synapses that its postsynaptic neuron receives, orphans included.
        """
        return self._ask(neurons.partners(self._scope(where), neuron_ids(of), Direction(direction)))

    def inputs(self, of: Neurons, *, where: Filter = EVERYTHING) -> Table:
        """The neurons that send to neurons (see `partners`)."""
        return self.partners(of, direction=Direction.INPUTS, where=where)

    def outputs(self, of: Neurons, *, where: Filter = EVERYTHING) -> Table:
        """The neurons that neurons send to (see `partners`)."""
        return self.partners(of, direction=Direction.OUTPUTS, where=where)

    def totals(self, of: Neurons, *, where: Filter = EVERYTHING) -> Table:
        """How many synapses and partners neurons have on each side."""
        return self._ask(neurons.totals(self._scope(where), neuron_ids(of)))

    def between(self, pre: Neurons, post: Neurons, *, where: Filter = EVERYTHING) -> Table:
        """The edges from the neurons of one list to those of another."""
        return self._ask(neurons.between(self._scope(where), neuron_ids(pre), neuron_ids(post)))

    def matrix(self, of: Neurons, *, where: Filter = EVERYTHING) -> Table:
        """Synapses among neurons: one row a presynaptic neuron `pre_id`, one column a postsynaptic neuron, its id."""
        ids = neuron_ids(of)
        return pivot(self.between(ids, ids, where=where), ids)

    def type_matrix(self, *, where: Filter = EVERYTHING) -> Table:
        """Synapses and edges from type to type, among annotated neurons."""
        return self._ask(network.type_matrix(self._scope(where)))

    def shared(
        self, of: Neurons, *, side: Side | str = Side.INPUTS, at_least: int | None = None, where: Filter = EVERYTHING
    ) -> Table:
        """Partners that at least so many of the neurons have in common; default: all of them."""
        ids = sorted(set(neuron_ids(of)))
        needed = len(ids) if at_least is None else at_least
        return self._ask(neurons.shared_partners(self._scope(where), ids, Side(side), needed))

    def similarity(self, of: Neurons, *, side: Side | str = Side.INPUTS, where: Filter = EVERYTHING) -> Table:
        """Cosine similarity of the partners of every two of the neurons, weighted by synapses."""
        return self._ask(neurons.similarity(self._scope(where), neuron_ids(of), Side(side)))

    def paths(
        self, source: int, target: int, *, max_hops: int = 3, limit: int = 100, where: Filter = EVERYTHING
    ) -> Table:
        """Paths of at most `max_hops` edges without a neuron twice: the shortest first, then the strongest."""
        (start,), (end,) = neuron_ids(source), neuron_ids(target)
        return self._ask(network.paths(self._scope(where), start, end, max_hops, limit))

    def top(self, limit: int = 10, *, where: Filter = EVERYTHING) -> Table:
        """The edges of the most synapses."""
        return self._ask(network.top(self._scope(where), limit))

    def reciprocal(self, *, where: Filter = EVERYTHING) -> Table:
        """Pairs of neurons with edges both ways, each pair once."""
        return self._ask(network.reciprocal(self._scope(where)))

    def autapses(self, *, where: Filter = EVERYTHING) -> Table:
        """Edges from a neuron to itself."""
        return self._ask(network.autapses(self._scope(where)))

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def __enter__(self) -> Connectome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _scope(self, where: Filter) -> Scope:
        return find_scope(self.database, where)

    def _ask(self, query: Query) -> Table:
        return ask(self.database, query, self.timeout_s)
