from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from connectome.errors import RootsError
from connectome.store.database import Database
from connectome.store.findings.edges import ensure_edges, refresh_edges, refresh_root_edges
from connectome.store.findings.imports import import_run
from connectome.store.proofreading.data_sets import choose_data_set
from connectome.store.proofreading.root_versions import NewRoots, make_split_version, make_version
from connectome.store.proofreading.roots import (
    RootsRecord,
    create_roots,
    get_roots,
    inherit,
    list_roots,
    write_roots,
    write_synapse_roots,
)
from connectome.store.runs.records import NewImport, NewRun, RunRecord, RunState
from connectome.store.runs.runs import create_run, data_set_of_name, set_state

Rows = list[tuple[int, int, int, int, float]]
SYNAPSES = [(1, 10, 20, 0.5), (2, 10, 20, 1.0), (3, 11, 20, 0.25), (4, 10, 21, 0.5), (4, 10, 30, 0.5), (5, 20, 10, 1.0)]


@pytest.fixture
def filled(
    database: Database,
    new_run: Callable[[str], NewRun],
    write_clefts: Callable[..., None],
    write_synapses: Callable[..., None],
) -> Iterator[RunRecord]:
    """A run with five edges, beside another one."""
    for name in ("other", "first"):
        made = create_run(database, new_run(name))
        with database.begin() as connection:
            write_clefts(connection, made.run_id, [1, 2, 3, 4, 5])
            write_synapses(connection, made.run_id, SYNAPSES)
            refresh_edges(connection, made.run_id)
    yield made


def edges(database: Database, run_id: int, roots_id: int | None = None) -> Rows:
    of = "segment" if roots_id is None else "root"
    version = "" if roots_id is None else f" AND roots_id = {roots_id}"
    found = database.columns(
        f"SELECT pre_{of}_id, post_{of}_id, synapse_count, size_voxels, mean_confidence "
        f"FROM {'edge' if roots_id is None else 'root_edge'} WHERE run_id = {run_id}{version} ORDER BY 1, 2"
    )
    return list(zip(*(column.tolist() for column in found.values()), strict=True))


def version(database: Database, name: str, mapping: dict[int, int], parent: RootsRecord | None = None) -> int:
    with database.begin() as connection:
        roots_id = create_roots(connection, name, "test", data_set_of_name(connection, "lab"))
        if parent is not None:
            inherit(connection, roots_id, parent)
        write_roots(connection, roots_id, np.array(list(mapping), np.uint64), list(mapping.values()))
    return roots_id


def test_edges_are_made_anew_as_often_as_asked(database: Database, filled: RunRecord) -> None:
    wanted = [
        (10, 20, 2, 200, 0.75),
        (10, 21, 1, 100, 0.5),
        (10, 30, 1, 100, 0.5),
        (11, 20, 1, 100, 0.25),
        (20, 10, 1, 100, 1.0),
    ]
    assert edges(database, filled.run_id) == wanted
    with database.begin() as connection:
        assert refresh_edges(connection, filled.run_id) == 5
    assert edges(database, filled.run_id) == wanted


def test_merged_segments_share_their_edges_and_history_stays(database: Database, filled: RunRecord) -> None:
    first = version(database, "v1", {11: 10, 21: 20})
    second = version(database, "v2", {30: 20}, parent=get_roots(database, "v1"))
    with database.begin() as connection:
        assert refresh_root_edges(connection, filled.run_id, first) == 3
        assert refresh_root_edges(connection, filled.run_id, second) == 2
    assert edges(database, filled.run_id, first) == [
        (10, 20, 4, 400, pytest.approx(0.5625)),
        (10, 30, 1, 100, 0.5),
        (20, 10, 1, 100, 1.0),
    ]
    assert edges(database, filled.run_id, second) == [(10, 20, 5, 500, pytest.approx(0.55)), (20, 10, 1, 100, 1.0)]
    assert len(edges(database, filled.run_id)) == 5
    assert [record.name for record in list_roots(database)] == ["v2", "v1", "segments"]


def test_a_split_moves_only_the_synapses_that_changed(database: Database, filled: RunRecord) -> None:
    with database.begin() as connection:
        roots_id = create_roots(connection, "split", "volume", data_set_of_name(connection, "lab"))
        moved = {"cleft_id": [2, 4], "number": [0, 1], "pre_root_id": [99, 10], "post_root_id": [20, 98]}
        assert write_synapse_roots(connection, roots_id, filled.run_id, moved) == 2
        refresh_root_edges(connection, filled.run_id, roots_id)
    assert edges(database, filled.run_id, roots_id) == [
        (10, 20, 1, 100, 0.5),
        (10, 21, 1, 100, 0.5),
        (10, 98, 1, 100, 0.5),
        (11, 20, 1, 100, 0.25),
        (20, 10, 1, 100, 1.0),
        (99, 20, 1, 100, 1.0),
    ]
    parent = get_roots(database, "split")
    merged = version(database, "merged", {11: 10, 99: 10}, parent)  # 99 is a root, no segment: nothing follows from it
    with database.begin() as connection:
        refresh_root_edges(connection, filled.run_id, merged)
    assert (99, 20, 1, 100, 1.0) in edges(database, filled.run_id, merged)
    assert (10, 20, 2, 200, pytest.approx(0.375)) in edges(database, filled.run_id, merged)


def test_a_table_moves_the_side_of_a_split_synapse_that_was_not_split(database: Database, filled: RunRecord) -> None:
    moved = {"cleft_id": [2, 5], "number": [0, 0], "pre_root_id": [100, None], "post_root_id": [None, 101]}
    set_state(database, filled.run_id, RunState.FINISHED)
    data_set = choose_data_set(database).data_set_id
    made = NewRoots(name="split", source="volume", data_set_id=data_set)
    make_split_version(database, made, filled.run_id, [moved])

    def table(name: str, parent: str, mapping: dict[int, int]) -> Rows:
        named = {"segment_id": np.array(list(mapping)), "root_id": np.array(list(mapping.values()))}
        make_version(database, NewRoots(name=name, source="table", data_set_id=data_set, parent=parent), [named])
        return edges(database, filled.run_id, get_roots(database, name).roots_id)

    moved_on = table("post", "split", {20: 40})
    assert {row[:2] for row in moved_on} == {(10, 40), (100, 40), (10, 21), (10, 30), (11, 40), (40, 101)}
    replaced = table("pre", "post", {10: 50})  # the table says of all of segment 10 where it belongs
    assert {row[:2] for row in replaced} == {(50, 40), (50, 21), (50, 30), (11, 40), (40, 50)}
    assert database.columns("SELECT count(*) AS n FROM synapse_root")["n"].tolist() == [4]


def test_sessions_that_need_the_same_edges_at_once_make_them_once(database: Database, filled: RunRecord) -> None:
    roots_id = version(database, "v1", {11: 10})
    together = Barrier(4)

    def ensure(_: int) -> None:
        together.wait()
        ensure_edges(database, filled.run_id, roots_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure, range(4)))
    assert len(edges(database, filled.run_id, roots_id)) == 4


def test_edges_of_roots_are_made_anew_as_often_as_asked(database: Database, filled: RunRecord) -> None:
    roots_id = version(database, "v1", {11: 10})
    for _ in range(2):
        with database.begin() as connection:
            refresh_root_edges(connection, filled.run_id, roots_id)
    assert len(edges(database, filled.run_id, roots_id)) == 4
    assert database.columns("SELECT run_id FROM root_refresh")["run_id"].tolist() == [filled.run_id]


def test_names_of_versions_are_taken_once_and_unknown_ones_told(database: Database) -> None:
    version(database, "v1", {1: 2})
    with pytest.raises(RootsError, match="named 'v1' exists already"):
        version(database, "v1", {1: 3})
    with pytest.raises(RootsError, match="no version of roots named 'v3': the database has v1, segments"):
        get_roots(database, "v3")


def test_an_import_appears_whole_with_its_edges_also_between_roots(database: Database) -> None:
    roots_id = version(database, "v1", {6: 60})
    cleft = {"block_id": 0, "x_nm": 1.0, "y_nm": 2.0, "z_nm": 3.0, "state": "assigned"}
    points = {f"{role}_{axis}_nm": 1.0 for role in ("pre", "post") for axis in "xyz"}
    with import_run(database, NewImport(name="flywire", parameters={"file": "a.csv"}, data_set="lab")) as loading:
        loading.write(
            "synapse",
            {
                "cleft_id": [1, 2],
                "pre_segment_id": 5,
                "post_segment_id": 6,
                "confidence": 1.0,
                "source_id": [77, 78],
                **points,
            },
        )
        for first in (1, 3):
            loading.write("cleft", {"cleft_id": [first, first + 1], **cleft})
        assert database.columns("SELECT run_id FROM run")["run_id"].size == 0
    assert edges(database, loading.run_id) == [(5, 6, 2, 0, 1.0)]
    assert edges(database, loading.run_id, roots_id) == [(5, 60, 2, 0, 1.0)]
    assert database.columns("SELECT id FROM cave_synapse ORDER BY 1")["id"].tolist() == [77, 78]
