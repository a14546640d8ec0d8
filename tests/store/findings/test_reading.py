from __future__ import annotations

from collections.abc import Callable

import pytest

from connectome.records import Edge, SynapseRow
from connectome.store.database import Database
from connectome.store.findings.edges import refresh_edges
from connectome.store.findings.reading import RunCounts, counts, edge_rows, synapse_rows
from connectome.store.runs.records import NewRun, RunRecord
from connectome.store.runs.runs import create_run

LARGE = 864_691_135_000_000_001  # beyond 2^53


@pytest.fixture
def filled(
    database: Database,
    new_run: Callable[[str], NewRun],
    write_clefts: Callable[..., None],
    write_synapses: Callable[..., None],
) -> RunRecord:
    """A run of four clefts, one without partners and one polyadic, beside another run."""
    for name in ("first", "other"):
        made = create_run(database, new_run(name))
        with database.begin() as connection:
            write_clefts(connection, made.run_id, [1, 2, 3, 4])
            rows = [(4, LARGE, 8, 0.5), (1, LARGE, 8, 0.25), (2, 8, 7, 1.0), (2, 8, LARGE, 0.75)]
            write_synapses(connection, made.run_id, rows)
            refresh_edges(connection, made.run_id)
    return made


def test_synapses_come_with_their_clefts_ordered_by_ids(database: Database, filled: RunRecord) -> None:
    found = synapse_rows(database, filled.run_id)
    keys = [(row.cleft_id, row.pre_segment_id, row.post_segment_id) for row in found]
    assert keys == [(1, LARGE, 8), (2, 8, 7), (2, 8, LARGE), (4, LARGE, 8)]
    assert found[0] == SynapseRow(
        cleft_id=1,
        pre_segment_id=LARGE,
        post_segment_id=8,
        confidence=0.25,
        size_voxels=100,
        centroid_nm=(1.0, 1.0, 1.0),
    )
    assert type(found[0].cleft_id) is int


def test_edges_aggregate_synapses(database: Database, filled: RunRecord) -> None:
    assert edge_rows(database, filled.run_id)[-1] == Edge(
        pre_segment_id=LARGE, post_segment_id=8, synapse_count=2, size_voxels=200, mean_confidence=0.375
    )
    assert len(edge_rows(database, filled.run_id)) == 3


def test_weak_edges_can_be_left_out(database: Database, filled: RunRecord) -> None:
    assert [edge.synapse_count for edge in edge_rows(database, filled.run_id, min_synapses=2)] == [2]
    confident = edge_rows(database, filled.run_id, min_confidence=0.8)
    assert [(edge.pre_segment_id, edge.post_segment_id) for edge in confident] == [(8, 7)]


def test_counts_are_those_of_the_run(database: Database, filled: RunRecord) -> None:
    assert counts(database, filled.run_id) == RunCounts(clefts=4, synapses=4, edges=3, no_partners=1)
    assert counts(database, 0) == RunCounts(clefts=0, synapses=0, edges=0, no_partners=0)
