from __future__ import annotations

from collections.abc import Callable

import pytest

from connectome.records import Synapses
from connectome.store.database import Database
from connectome.store.findings.edges import refresh_edges
from connectome.store.findings.reading import RunCounts, counts, read_synapses
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
    found = read_synapses(database, filled.run_id)
    columns = (found.cleft_id, found.pre_segment_id, found.post_segment_id)
    keys = list(zip(*(column.tolist() for column in columns), strict=True))
    assert keys == [
        (1, LARGE, 8),
        (2, 8, 7),
        (2, 8, LARGE),
        (4, LARGE, 8),
    ]
    assert (found.confidence.tolist(), found.size_voxels.tolist()) == ([0.25, 1.0, 0.75, 0.5], [100] * 4)
    assert found.centroid_nm.tolist() == [[n, n, n] for n in (1, 2, 2, 4)]
    for name, column in Synapses.described().items():
        assert getattr(found, name).dtype == column.dtype


def test_no_synapses_are_an_empty_table(database: Database, run: RunRecord) -> None:
    assert len(read_synapses(database, run.run_id)) == 0


def test_counts_are_those_of_the_run(database: Database, filled: RunRecord) -> None:
    assert counts(database, filled.run_id) == RunCounts(clefts=4, synapses=4, edges=3, no_partners=1)
    assert counts(database, 0) == RunCounts(clefts=0, synapses=0, edges=0, no_partners=0)
