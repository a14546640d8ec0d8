"""What graphs, evaluation and summaries read from a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Select, Subquery, cast, func, select

from connectome.records import CleftState, Edge, SynapseRow
from connectome.store.database import Database
from connectome.store.schema.tables import CleftTable, EdgeTable, SynapseTable


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """How many rows of each kind a run has.

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


def synapse_rows(database: Database, run_id: int, *, min_confidence: float = 0.0) -> list[SynapseRow]:
    """The synapses of a run with their clefts' size and centroid, ordered by cleft and partners.

    Args:
        database: where the run is.
        run_id: the run.
        min_confidence: leave out synapses of a lower confidence, or of none; 0: take all.
    """
    known = [SynapseTable.confidence >= min_confidence] if min_confidence > 0 else []
    statement = (
        select(
            SynapseTable.cleft_id,
            SynapseTable.pre_segment_id,
            SynapseTable.post_segment_id,
            SynapseTable.confidence,
            func.coalesce(CleftTable.size_voxels, 0),
            CleftTable.z_nm,
            CleftTable.y_nm,
            CleftTable.x_nm,
        )
        .join(CleftTable, (CleftTable.run_id == SynapseTable.run_id) & (CleftTable.cleft_id == SynapseTable.cleft_id))
        .where(SynapseTable.run_id == run_id, *known)
        .order_by(SynapseTable.cleft_id, SynapseTable.pre_segment_id, SynapseTable.post_segment_id)
    )
    columns = [column.tolist() for column in database.columns(statement).values()]
    return [
        SynapseRow(
            cleft_id=cleft_id,
            pre_segment_id=pre,
            post_segment_id=post,
            confidence=confidence,
            size_voxels=size,
            centroid_nm=(z, y, x),
        )
        for cleft_id, pre, post, confidence, size, z, y, x in zip(*columns, strict=True)
    ]


def edge_rows(database: Database, run_id: int, *, min_synapses: int = 1, min_confidence: float = 0.0) -> list[Edge]:
    """The edges of a finished run, ordered by partners.

    Args:
        database: where the run is.
        run_id: the run.
        min_synapses: leave out edges of fewer synapses.
        min_confidence: synapses of a lower confidence, or of none, don't count; 0: all do.
    """
    edge = EdgeTable.__table__ if min_confidence <= 0 else _edges_above(run_id, min_confidence)
    statement = (
        select(
            edge.c.pre_segment_id,
            edge.c.post_segment_id,
            edge.c.synapse_count,
            edge.c.size_voxels,
            edge.c.mean_confidence,
        )
        .where(edge.c.run_id == run_id, edge.c.synapse_count >= min_synapses)
        .order_by(edge.c.pre_segment_id, edge.c.post_segment_id)
    )
    columns = [column.tolist() for column in database.columns(statement).values()]
    return [
        Edge(
            pre_segment_id=pre,
            post_segment_id=post,
            synapse_count=count,
            size_voxels=size,
            mean_confidence=confidence,
        )
        for pre, post, count, size, confidence in zip(*columns, strict=True)
    ]


def _edges_above(run_id: int, min_confidence: float) -> Subquery:
    """The table of edges, over the synapses of at least a confidence."""
    synapse, cleft = SynapseTable, CleftTable
    return (
        select(
            synapse.run_id,
            synapse.pre_segment_id,
            synapse.post_segment_id,
            func.count().label("synapse_count"),
            cast(func.coalesce(func.sum(cleft.size_voxels), 0), BigInteger).label("size_voxels"),
            func.avg(synapse.confidence).label("mean_confidence"),
        )
        .join(cleft, (cleft.run_id == synapse.run_id) & (cleft.cleft_id == synapse.cleft_id))
        .where(synapse.run_id == run_id, synapse.confidence >= min_confidence)
        .group_by(synapse.run_id, synapse.pre_segment_id, synapse.post_segment_id)
        .subquery()
    )


def counts(database: Database, run_id: int) -> RunCounts:
    """How many clefts, synapses and edges a run has; edges are made when it is finished."""
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
