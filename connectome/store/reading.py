"""What graphs, evaluation and summaries read from a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from connectome.records import CleftState, Edge, SynapseRow
from connectome.store.database import Database
from connectome.store.tables import CleftTable, EdgeTable, SynapseTable


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """How many rows of each kind a run has; `no_partners` are clefts that fewer than two segments touch."""

    clefts: int
    synapses: int
    edges: int
    no_partners: int


def synapse_rows(database: Database, run_id: int) -> list[SynapseRow]:
    """All synapses of a run with their clefts' size and centroid, ordered by cleft and partners."""
    statement = (
        select(
            SynapseTable.cleft_id, SynapseTable.pre_segment_id, SynapseTable.post_segment_id, SynapseTable.confidence,
            func.coalesce(CleftTable.size_voxels, 0), CleftTable.z_nm, CleftTable.y_nm, CleftTable.x_nm,
        )
        .join(CleftTable, (CleftTable.run_id == SynapseTable.run_id) & (CleftTable.cleft_id == SynapseTable.cleft_id))
        .where(SynapseTable.run_id == run_id)
        .order_by(SynapseTable.cleft_id, SynapseTable.pre_segment_id, SynapseTable.post_segment_id)
    )  # fmt: skip
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
        min_confidence: leave out edges of a lower mean confidence.
    """
    statement = (
        select(
            EdgeTable.pre_segment_id, EdgeTable.post_segment_id, EdgeTable.synapse_count, EdgeTable.size_voxels,
            EdgeTable.mean_confidence,
        )
        .where(
            EdgeTable.run_id == run_id,
            EdgeTable.synapse_count >= min_synapses,
            EdgeTable.mean_confidence >= min_confidence,
        )
        .order_by(EdgeTable.pre_segment_id, EdgeTable.post_segment_id)
    )  # fmt: skip
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


def counts(database: Database, run_id: int) -> RunCounts:
    """How many clefts, synapses and edges a run has; edges are made when it is finished."""
    clefts = select(func.count()).where(CleftTable.run_id == run_id)
    synapses = select(func.count()).where(SynapseTable.run_id == run_id)
    edges = select(func.count()).where(EdgeTable.run_id == run_id)
    with database.begin() as connection:
        return RunCounts(
            clefts=connection.scalar(clefts) or 0,
            synapses=connection.scalar(synapses) or 0,
            edges=connection.scalar(edges) or 0,
            no_partners=connection.scalar(clefts.where(CleftTable.state == CleftState.NO_PARTNERS.value)) or 0,
        )
