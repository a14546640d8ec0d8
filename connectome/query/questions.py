"""The questions that a connectome is asked, each a method; what an answer is, the classes below decide."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, SupportsIndex, TypeVar

from connectome.errors import ConfigError, SegmentIdError
from connectome.records import LARGEST_ID
from connectome.selection import Direction, Filter, NmBox, Side
from connectome.store.database import Database
from connectome.store.queries.library import ready_query
from connectome.store.queries.lineage import neurons_named, require_neurons
from connectome.store.queries.scope import find_scope
from connectome.store.queries.streaming import Query, SqlResult, stream_rows

Answer = TypeVar("Answer")
Neuron = SupportsIndex | str
Neurons = Neuron | Iterable[Neuron]
EVERYTHING = Filter()
TIMEOUT_S = 60.0


class Questions(Generic[Answer]):
    """A database of connectomes, open for questions.

    Every method takes `where`, a `Filter`: which run and roots, which synapses, which edges. Ids are those of neurons:
    segments, or roots where the filter names a version. The answers are in a fixed order.
    """

    def __init__(
        self, database: Database, timeout_s: float = TIMEOUT_S, tell: Callable[[str], object] = lambda notice: None
    ) -> None:
        """Ask an open database (see `open`).

        Args:
            database: with at least one finished run.
            timeout_s: the longest that the database may take for a question.
            tell: is told which run answers where a question names none.
        """
        self.database = database
        self.timeout_s = timeout_s
        self._tell = tell

    @classmethod
    def open(
        cls,
        url: str | None = None,
        data_folder: str | Path = "connectome-data",
        *,
        timeout_s: float = TIMEOUT_S,
        tell: Callable[[str], object] = lambda notice: None,
    ) -> Self:
        """Open a database.

        Args:
            url: postgresql://user@host/database; None: CONNECTOME_DATABASE_URL, else the data folder's own server.
            data_folder: what builds were given.
            timeout_s: the longest that the database may take for a question; a longer one raises QueryError.
            tell: is told which run answers where a question names none.

        Raises:
            DatabaseError, SchemaError: unreachable, nothing there yet, or of another version.
        """
        return cls(Database.open(url, Path(data_folder)), timeout_s, tell)

    def synapses(
        self, *, pre: Neurons | None = None, post: Neurons | None = None, where: Filter = EVERYTHING
    ) -> Answer:
        """Synapses one by one, from neurons `pre` and to neurons `post` where given."""
        lists = {"pre": pre, "post": post}
        given = {side: self._ids(neurons, where) for side, neurons in lists.items() if neurons is not None}
        return self.ready("synapses", where, **given)

    def in_box(self, box: NmBox | str, *, where: Filter = EVERYTHING) -> Answer:
        """The synapses whose clefts' centroids lie in a box: an `NmBox`, or a text z0:z1,y0:y1,x0:x1 in nm.

        The same as `synapses` with that box in the filter.
        """
        if where.box_nm is not None:
            raise ConfigError("the filter has a box already: give one of the two", about="box_nm")
        chosen = box if isinstance(box, NmBox) else NmBox.parse(box)
        return self.synapses(where=replace(where, box_nm=chosen))

    def edges(self, *, where: Filter = EVERYTHING) -> Answer:
        """All edges, ordered by their neurons."""
        return self.ready("edges", where)

    def partners(
        self, of: Neurons, *, direction: Direction | str = Direction.BOTH, where: Filter = EVERYTHING
    ) -> Answer:
        """The partners of neurons with counts and fractions, the strongest first.

        `input_fraction` is an edge's share of all synapses that its postsynaptic neuron receives, orphans included.
        """
        return self.ready("partners", where, neuron=self._ids(of, where), direction=Direction(direction).value)

    def inputs(self, of: Neurons, *, where: Filter = EVERYTHING) -> Answer:
        """The neurons that send to neurons (see `partners`)."""
        return self.partners(of, direction=Direction.INPUTS, where=where)

    def outputs(self, of: Neurons, *, where: Filter = EVERYTHING) -> Answer:
        """The neurons that neurons send to (see `partners`)."""
        return self.partners(of, direction=Direction.OUTPUTS, where=where)

    def totals(self, of: Neurons, *, where: Filter = EVERYTHING) -> Answer:
        """The numbers of synapses and partners that neurons have on each side."""
        return self.ready("totals", where, neurons=self._ids(of, where))

    def between(self, pre: Neurons, post: Neurons, *, where: Filter = EVERYTHING) -> Answer:
        """The edges from the neurons of one list to those of another."""
        return self.ready("between", where, pre=self._ids(pre, where), post=self._ids(post, where))

    def matrix(self, of: Neurons, *, where: Filter = EVERYTHING) -> Answer:
        """Synapses among neurons: one row a presynaptic neuron `pre_id`, one column a postsynaptic neuron, its id."""
        ids = self._ids(of, where)
        return self._pivot(self.ready("adjacency", where, neurons=ids), ids)

    def type_matrix(self, *, where: Filter = EVERYTHING) -> Answer:
        """Synapses and edges from type to type, among annotated neurons."""
        return self.ready("type_matrix", where)

    def shared(
        self, of: Neurons, *, side: Side | str = Side.INPUTS, at_least: int | None = None, where: Filter = EVERYTHING
    ) -> Answer:
        """Partners that at least so many of the neurons have in common; default: all of them."""
        ids = sorted(set(self._ids(of, where)))
        needed = len(ids) if at_least is None else at_least
        return self.ready("shared_inputs", where, neurons=ids, at_least=needed, side=Side(side).value)

    def similarity(self, of: Neurons, *, side: Side | str = Side.INPUTS, where: Filter = EVERYTHING) -> Answer:
        """Cosine similarity of the partners of every two of the neurons, weighted by synapses."""
        return self.ready("input_similarity", where, neurons=self._ids(of, where), side=Side(side).value)

    def paths(
        self, source: Neuron, target: Neuron, *, max_hops: int = 3, limit: int = 100, where: Filter = EVERYTHING
    ) -> Answer:
        """Paths of at most `max_hops` edges without a neuron twice: the shortest first, then the strongest."""
        (start,), (end,) = self._ids(source, where), self._ids(target, where)
        return self.ready("paths", where, source=start, target=end, max_hops=max_hops, limit=limit)

    def neighbourhood(
        self, of: Neurons, *, hops: int = 2, direction: Direction | str = Direction.BOTH, where: Filter = EVERYTHING
    ) -> Answer:
        """The neurons within so many edges of neurons, the nearest first, with how many edges it takes."""
        ids, way = self._ids(of, where), Direction(direction).value
        return self.ready("neighbourhood", where, neurons=ids, hops=hops, direction=way)

    def top(self, limit: int = 10, *, where: Filter = EVERYTHING) -> Answer:
        """The edges of the most synapses."""
        return self.ready("strong_edges", where, limit=limit)

    def reciprocal(self, *, where: Filter = EVERYTHING) -> Answer:
        """Pairs of neurons with edges both ways, each pair once."""
        return self.ready("reciprocal_pairs", where)

    def autapses(self, *, where: Filter = EVERYTHING) -> Answer:
        """Edges from a neuron to itself."""
        return self.ready("autapses", where)

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ready(self, name: str, where: Filter = EVERYTHING, **values: Any) -> Answer:
        """A question of the library by its name, with the values of its own parameters.

        Raises:
            QueryError: there is none of this name, or it took too long.
        """
        return self._ask(ready_query(name).asked(find_scope(self.database, where, self._tell), **values))

    def _ids(self, of: Neurons, where: Filter) -> list[int]:
        """The ids of one neuron or several, given as numbers, as texts of numbers, or by name.

        Says of those that are no neurons of the run where they went.

        Raises:
            SegmentIdError: a number is less than 1, or 2^63 or more.
            NeuronNotFoundError: none of them is a neuron of the run, or a name isn't one's.
        """
        scope = find_scope(self.database, where)
        given = neuron_ids(of)
        named = neurons_named(self.database, scope, [one for one in given if isinstance(one, str)])
        ids = [named[one] if isinstance(one, str) else one for one in given]
        require_neurons(self.database, scope, ids, self._tell)
        return ids

    @abstractmethod
    def _ask(self, query: Query) -> Answer:
        """The rows of a query.

        Raises:
            QueryError: it took too long. DatabaseError: unreachable.
        """

    @abstractmethod
    def _pivot(self, edges: Answer, ids: Sequence[int]) -> Answer:
        """Edges among neurons as a matrix."""


class RowQuestions(Questions[AbstractContextManager[SqlResult]]):
    """Answers are rows of Python values, there inside a `with`: nothing but psycopg2 is needed for them."""

    def _ask(self, query: Query) -> AbstractContextManager[SqlResult]:
        return stream_rows(self.database, query, timeout_s=self.timeout_s)

    @contextmanager
    def _pivot(self, edges: AbstractContextManager[SqlResult], ids: Sequence[int]) -> Iterator[SqlResult]:
        with edges as found:
            place = {name: i for i, name in enumerate(found.columns)}
            pre, post, count = (place[name] for name in ("pre_id", "post_id", "synapse_count"))
            counts: dict[int, dict[int, int]] = {}
            for row in found.rows:
                counts.setdefault(row[pre], {})[row[post]] = row[count]
        order = list(dict.fromkeys(ids))
        rows = ((one, *(counts.get(one, {}).get(other, 0) for other in order)) for one in order)
        yield SqlResult(columns=["pre_id", *map(str, order)], rows=rows)


def neuron_ids(neurons: Neurons) -> list[int | str]:
    """One neuron or several: whole numbers of any library, also as texts; other texts are names and stay.

    Raises:
        SegmentIdError: a number is less than 1, or 2^63 or more.
    """
    several = isinstance(neurons, Iterable) and not isinstance(neurons, str)
    given: Iterable[Any] = list(neurons) if several else [neurons]  # type: ignore[arg-type]
    ids: list[int | str] = []
    for value in given:
        text = str(value).strip() if isinstance(value, str) else None
        if text is not None and not text.lstrip("+-").isdecimal():
            ids.append(text)
            continue
        number = int(text) if text is not None else value.__index__()
        if not 0 < number <= LARGEST_ID:
            raise SegmentIdError(f"{number} is no neuron's id: ids go from 1 to 2^63 - 1")
        ids.append(number)
    return ids
