"""The open connectome: every question as a method, every answer as an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence

from connectome.query.questions import Questions
from connectome.store.queries.streaming import Query, stream_query
from connectome.tables.matrix import pivot
from connectome.tables.results import Table, TableReceiver


class Connectome(Questions[Table]):
    """A database of connectomes, open for questions.

    Every method takes `where`, a `Filter`: which run and roots, which synapses, which edges. Ids are those of neurons:
    segments, or roots where the filter names a version. The answers are `pyarrow.Table`s, in a fixed order; call
    `.to_pandas()` on them where pandas is installed.
    """

    def _ask(self, query: Query) -> Table:
        receiver = TableReceiver()
        stream_query(self.database, query, receiver, timeout_s=self.timeout_s)
        return receiver.table()

    def _pivot(self, edges: Table, ids: Sequence[int]) -> Table:
        return pivot(edges, ids)
