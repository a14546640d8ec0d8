"""`connectome runs` on real runs: finished, interrupted, with failed blocks, being built."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import SmallWorld, make_small_world
from typer.testing import Result

from connectome.pipeline.build import build_volume
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark, Stage, record_failure
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import RunState
from connectome.store.runs.runs import get_run, set_state

Cli = Callable[..., Result]


class InterruptedProgress(NoProgress):
    """Somebody presses Ctrl-C when the stage label begins."""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        if name == "label":
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, module_data_folder: Path) -> Path:
    """A data folder with the runs done, stopped and broken, made in this order."""
    world: SmallWorld = make_small_world(tmp_path_factory.mktemp("world"))
    shape = {"block_shape": (40, 100, 90)}
    build_volume(world.request(module_data_folder, name="done", **shape))
    with pytest.raises(KeyboardInterrupt):
        build_volume(world.request(module_data_folder, name="stopped", **shape), InterruptedProgress())
    with pytest.raises(KeyboardInterrupt):
        build_volume(world.request(module_data_folder, name="broken", **shape), InterruptedProgress())
    with Database.open(None, module_data_folder) as database:
        run_id = get_run(database, "broken").run_id
        mark = BlockMark(block_id=0, voxels=360_000, worker="node:7")
        record_failure(database, run_id, Stage.LABEL, mark, "raw.zarr can't be read")
        set_state(database, run_id, RunState.INCOMPLETE)
    return module_data_folder


def test_runs_are_listed_with_their_state_and_stage(cli: Cli, folder: Path) -> None:
    lines = cli("runs", "list", "--data-folder", folder).stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["broken", "build", "incomplete"],
        ["stopped", "build", "interrupted"],
        ["done", "build", "finished"],
    ]
    assert "label       0 of 1 blocks done, 1 failed" in lines[0]
    with Database.open(None, folder) as database, lock_run(database, "stopped"):
        found = json.loads(cli("runs", "list", "--json", "--data-folder", folder).stdout)
    assert [run["state"] for run in found] == ["incomplete", "running", "finished"]
    assert found[1]["stage"]["blocks"] == 1 and found[2]["stage"] is None


def test_a_run_is_shown_with_stages_failures_models_and_parameters(cli: Cli, folder: Path) -> None:
    text = cli("runs", "show", "broken", "--data-folder", folder).stdout
    for words in (
        "run 'broken' (build) is incomplete",
        "predict     ",
        "label 0 (1 attempt, node:7): raw.zarr can't be read",
        "detector      detector (mask, ",
        "assigner      assigner (avan, ",
        "block_shape            [40, 100, 90]",
    ):
        assert words in text, text
    shown = json.loads(cli("runs", "show", "done", "--json", "--data-folder", folder).stdout)
    assert [stage["stage"] for stage in shown["stages"]] == ["predict", "label", "stitch", "relabel", "assign", "edges"]
    assert all(stage["done"] == stage["blocks"] and stage["rate"] > 0 for stage in shown["stages"][:2])
    assert shown["parameters"]["min_size_voxels"] == 20 and shown["failed_blocks"] == []


def test_an_unknown_run_is_refused(cli: Cli, folder: Path) -> None:
    for command in ("show", "delete"):
        result = cli("runs", command, "none", "--data-folder", folder)
        assert result.exit_code == 3 and "no run named 'none'" in result.stderr


def test_a_run_is_deleted_with_its_rows_and_folder_but_not_while_it_is_built(cli: Cli, folder: Path) -> None:
    place = folder / "runs" / "stopped"
    assert place.is_dir()
    assert cli("runs", "delete", "stopped", "--data-folder", folder, stdin="n\n").exit_code == 1
    with Database.open(None, folder) as database:
        run_id = get_run(database, "stopped").run_id
        with lock_run(database, "stopped"):
            result = cli("runs", "delete", "stopped", "--yes", "--data-folder", folder)
            assert result.exit_code == 7 and "another process is building" in result.stderr
        assert place.is_dir()
        result = cli("runs", "delete", "stopped", "--data-folder", folder, stdin="y\n")
        assert result.exit_code == 0 and "deleted run 'stopped' and" in result.stdout
        assert not place.exists()
        for table in ("block", "stage", "cleft", "run"):
            assert run_id not in database.columns(f"SELECT run_id FROM {table}")["run_id"]
        assert database.columns(f"SELECT to_regclass('cleft_{run_id}')::text AS t")["t"][0] is None
