"""Findings of a run as graphs, evaluation and summaries read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from connectome.records import CleftState, Synapses, Table
from connectome.store.database import Database
from connectome.store.schema.tables import METADATA, CleftTable, EdgeTable, SynapseTable


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """The number of rows of each kind that a run has.

    Attributes:
        no_partners: clefts that fewer than two segments touch.
        low_score: clefts whose synapses score less than the run's minimum.
        duplicates: clefts whose synapses were merged into other ones'.
    """

    clefts: int
    synapses: int
    edges: int
    no_partners: int
    low_score: int = 0
    duplicates: int = 0


def read_synapses(database: Database, run_id: int, *, min_confidence: float = 0.0) -> Synapses:
    """The synapses of a run with their clefts' size and centroid, ordered by cleft and partners.

    Args:
        database: where the run is.
        run_id: the run.
        min_confidence: leave out synapses of a lower confidence, or of none; 0: take all.
    """
    synapse, cleft = SynapseTable, CleftTable
    known = [synapse.confidence >= min_confidence] if min_confidence > 0 else []
    statement = (
        select(*(_selected(Synapses, name) for name in Synapses.columns()))
        .join(cleft, (cleft.run_id == synapse.run_id) & (cleft.cleft_id == synapse.cleft_id))
        .where(synapse.run_id == run_id, *known)
        .order_by(synapse.cleft_id, synapse.pre_segment_id, synapse.post_segment_id)
    )
    return Synapses.of_sql(database.columns(statement))


def _selected(rows: type[Table], name: str) -> ColumnElement[Any]:
    """A column of a table's rows, which may be another table's; sizes that an import doesn't know are 0."""
    column = METADATA.tables[rows.columns()[name]].c[name]
    return func.coalesce(column, 0).label(name) if name == "size_voxels" else column


def counts(database: Database, run_id: int) -> RunCounts:
    """The numbers of clefts, synapses and edges that a run has; edges are made when it is finished."""
    clefts = select(func.count()).where(CleftTable.run_id == run_id)
    synapses = select(func.count()).where(SynapseTable.run_id == run_id)
    edges = select(func.count()).where(EdgeTable.run_id == run_id)

    def in_state(state: CleftState) -> Select[int]:
        return clefts.where(CleftTable.state == state.value)

    with database.begin() as connection:
        return RunCounts(
            clefts=connection.scalar(clefts) or 0,
            synapses=connection.scalar(synapses) or 0,
            edges=connection.scalar(edges) or 0,
            no_partners=connection.scalar(in_state(CleftState.NO_PARTNERS)) or 0,
            low_score=connection.scalar(in_state(CleftState.LOW_SCORE)) or 0,
            duplicates=connection.scalar(in_state(CleftState.DUPLICATE)) or 0,
        )
