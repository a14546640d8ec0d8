"""What is removed with a run: its own folder, together with its rows, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from small_world import SmallWorld, make_small_world

from connectome.errors import DatabaseError, RunConflictError, StorageError
from connectome.pipeline.build import build_volume
from connectome.query.runs import remove_run
from connectome.store.database import Database
from connectome.store.runs.folders import MARK, mark_folder, put_back, require_own_folder, set_aside_path
from connectome.store.runs.runs import delete_run, find_run, get_run

WHOLE = {"block_shape": (40, 100, 90)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def built(world: SmallWorld, database_url: str, tmp_path: Path) -> Path:
    """The data folder of the run `small`."""
    data = tmp_path / "data"
    build_volume(world.request(data, database_url=database_url, **WHOLE))
    return data


def test_what_lies_elsewhere_or_bears_no_mark_is_not_removed(
    world: SmallWorld, built: Path, database: Database, execute_sql: Callable[..., None], tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    again = world.request(built, database_url=database.url, restart=True, **WHOLE)
    for place, words in (
        (precious, "isn't in the data folder"),
        (built / "runs" / ".." / ".." / "precious", "isn't in the data folder"),
        (built / "runs", "isn't in the data folder"),
    ):
        execute_sql(database.url, f"UPDATE run SET folder = '{place}'")
        for action in (lambda: remove_run(database, "small", built), lambda: build_volume(again)):
            with pytest.raises(RunConflictError, match=words):
                action()
    execute_sql(database.url, f"UPDATE run SET folder = '{built / 'runs' / 'small'}'")
    with pytest.raises(RunConflictError, match="isn't in the data folder"):
        remove_run(database, "small", tmp_path / "other")
    (built / "runs" / "small").rename(tmp_path / "moved")
    (built / "runs" / "small").symlink_to(precious)
    for action in (lambda: remove_run(database, "small", built), lambda: build_volume(again)):
        with pytest.raises(RunConflictError, match="a link or a file"):
            action()
    (built / "runs" / "small").unlink()
    (built / "runs" / "small").mkdir()
    (built / "runs" / "small" / "notes.txt").write_text("mine")
    with pytest.raises(RunConflictError, match="isn't marked"):
        remove_run(database, "small", built)
    mark_folder(built / "runs" / "small", "other")
    with pytest.raises(RunConflictError, match="isn't marked"):
        remove_run(database, "small", built)
    assert (precious / "thesis.txt").read_text() == "years" and find_run(database, "small") is not None
    assert (built / "runs" / "small" / "notes.txt").exists() and (tmp_path / "moved" / "clefts.zarr").is_dir()


def test_links_in_a_run_are_removed_and_not_followed(built: Path, database: Database, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    (built / "runs" / "small" / "link").symlink_to(tmp_path / "kept")
    assert remove_run(database, "small", built) == built / "runs" / "small"
    assert (tmp_path / "kept" / "file").exists() and list((built / "runs").iterdir()) == []
    assert find_run(database, "small") is None


def test_a_folder_of_an_earlier_version_has_no_mark_and_is_known_by_what_it_holds(
    built: Path, database: Database
) -> None:
    (built / "runs" / "small" / MARK).unlink()
    assert remove_run(database, "small", built) is not None
    assert not (built / "runs" / "small").exists()


def test_rows_and_folder_stay_where_one_of_them_must(built: Path, database: Database) -> None:
    run = get_run(database, "small")
    reading = psycopg2.connect(database.url)
    reading.cursor().execute("SELECT count(*) FROM cleft")
    with pytest.raises(DatabaseError, match="queries have been using the tables"):
        delete_run(database, run.run_id, folder=run.folder, timeout_s=0.5)
    reading.close()
    assert (run.folder / "clefts.zarr").is_dir() and find_run(database, "small") is not None
    (run.folder.parent / ".small.deleted").write_text("in the way")
    with pytest.raises(StorageError, match="nothing was deleted"):
        remove_run(database, "small", built)
    assert (run.folder / "clefts.zarr").is_dir() and find_run(database, "small") is not None


def test_a_deletion_that_was_killed_is_undone_by_a_build_and_ended_by_another_deletion(
    world: SmallWorld, built: Path, database: Database
) -> None:
    folder = built / "runs" / "small"
    os.rename(folder, set_aside_path(folder))  # killed before its rows were gone
    assert require_own_folder(folder, "small", built) == set_aside_path(folder)
    assert build_volume(world.request(built, database_url=database.url, **WHOLE)).already_finished
    assert (folder / "clefts.zarr").is_dir()
    os.rename(folder, set_aside_path(folder))
    remove_run(database, "small", built)
    assert find_run(database, "small") is None and list((built / "runs").iterdir()) == []
    put_back(folder)
    assert not folder.exists()
