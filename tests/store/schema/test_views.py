from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectome.store.database import Database
from connectome.store.runs.records import NewRun, RunRecord, RunState
from connectome.store.runs.runs import create_run, set_state
from connectome.store.transfer.copying import copy_columns

CAVE = (
    "id created deleted superceded_id valid pre_pt_position_x pre_pt_position_y pre_pt_position_z ctr_pt_position_x "
    "ctr_pt_position_y ctr_pt_position_z post_pt_position_x post_pt_position_y post_pt_position_z size "
    "pre_pt_supervoxel_id pre_pt_root_id post_pt_supervoxel_id post_pt_root_id"
)
SYNAPTOR = (
    "cleft_segid centroid_x centroid_y centroid_z bbox_bx bbox_by bbox_bz bbox_ex bbox_ey bbox_ez size presyn_segid "
    "postsyn_segid presyn_x presyn_y presyn_z postsyn_x postsyn_y postsyn_z presyn_wt postsyn_wt"
)
LATTICE = st.integers(-3, 3).map(lambda cell: 1024.0 * cell)  # half of them on the borders of cells
POINT = st.tuples(LATTICE, LATTICE, LATTICE)
Place = tuple[float, ...]
Write = Callable[..., None]


def test_the_best_run_is_the_one_that_was_finished_last(
    database: Database, new_run: Callable[[str], NewRun], write_clefts: Write, write_synapses: Write
) -> None:
    runs = [create_run(database, new_run(name)) for name in ("a", "b", "c")]
    for place, run in enumerate(runs):
        with database.begin() as connection:
            write_clefts(connection, run.run_id, [1])
            write_synapses(connection, run.run_id, [(1, 7, 8 + place, 0.5)])

    def best() -> list[int]:
        return database.columns("SELECT post_segment_id FROM synapse_best")["post_segment_id"].tolist()

    assert best() == []
    for run, seen in ((runs[1], 9), (runs[0], 8)):
        set_state(database, run.run_id, RunState.FINISHED)
        assert best() == [seen]
    set_state(database, runs[0].run_id, RunState.INCOMPLETE)
    assert best() == [9]


def test_synapses_have_the_names_of_cave_and_of_synaptor(
    database: Database, run: RunRecord, write_clefts: Write, write_synapses: Write
) -> None:
    with database.begin() as connection:
        write_clefts(connection, run.run_id, [5, 2**63 - 1])
        write_synapses(connection, run.run_id, [(5, 7, 8, 0.5), (2**63 - 1, 9, 9, 0.5)])
    set_state(database, run.run_id, RunState.FINISHED)
    cave = database.columns("SELECT * FROM cave_synapse ORDER BY id")
    assert list(cave) == CAVE.split()
    assert (cave["id"].tolist(), cave["valid"].tolist()) == ([5, 2**63 - 1], [True, False])
    assert (cave["pre_pt_root_id"][0], cave["size"][0], cave["ctr_pt_position_z"][0]) == (7, 100.0, 5.0)
    synaptor = database.columns("SELECT * FROM synaptor_edge ORDER BY cleft_segid")
    assert list(synaptor) == SYNAPTOR.split()
    first = [synaptor[name][0] for name in ("presyn_segid", "postsyn_segid", "presyn_wt", "bbox_ex", "presyn_x")]
    assert first == [7, 8, pytest.approx(0.9), 5.0, 1.0]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.lists(POINT, min_size=1, max_size=30), start=POINT, sides=st.tuples(*[st.integers(1, 5000)] * 3))
def test_a_box_holds_exactly_the_clefts_whose_centroid_lies_in_it(
    database: Database,
    run: RunRecord,
    points: list[tuple[float, ...]],
    start: tuple[float, ...],
    sides: tuple[int, ...],
) -> None:
    place = np.array(points)
    columns = {f"{axis}_nm": place[:, i] for i, axis in enumerate("xyz")}
    stop = np.array(start) + sides
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cleft")
        ids = np.arange(1, len(points) + 1)
        copy_columns(
            connection, "cleft", {"run_id": run.run_id, "cleft_id": ids, "block_id": 0, "state": "detected", **columns}
        )
    found = database.columns(
        f"SELECT cleft_id FROM clefts_in_box({run.run_id}, {', '.join(map(str, [*start, *stop.tolist()]))}) ORDER BY 1"
    )
    inside = ((place >= start) & (place < stop)).all(1)
    assert found["cleft_id"].tolist() == ids[inside].tolist()


def test_a_box_far_beyond_the_data_is_answered_at_once(database: Database, run: RunRecord) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cleft")
        columns = {f"{axis}_nm": np.array([1.0, 5e6, -3e5]) for axis in "xyz"}
        ids = np.arange(1, 4)
        copy_columns(
            connection, "cleft", {"run_id": run.run_id, "cleft_id": ids, "block_id": 0, "state": "detected", **columns}
        )
    for side, expected in ((1e7, [1, 2, 3]), (1e300, [1, 2, 3]), (2e6, [1, 3]), (1e5, [1])):
        box = ", ".join([str(-side)] * 3 + [str(side)] * 3)
        with database.reading(timeout_s=5) as cursor:
            cursor.execute(f"SELECT cleft_id FROM clefts_in_box({run.run_id}, {box}) ORDER BY 1")
            assert [row[0] for row in cursor.fetchall()] == expected
