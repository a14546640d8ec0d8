"""Builds: the same connectome however the volume is cut, resumed or restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
from numpy.typing import NDArray
from small_world import OFFSET_NM, RESOLUTION_NM, SmallWorld, assert_same_rows, build, make_small_world, rows_of
from sqlalchemy import text

from connectome.errors import IncompleteRunError, RunConflictError
from connectome.geometry import Box
from connectome.pipeline.build import build_volume
from connectome.pipeline.steps import chunk_shape
from connectome.query.runs import describe_run
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.findings.imports import import_run
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import NewImport
from connectome.store.runs.runs import get_run
from connectome.volumes.volume import Volume


class InterruptedProgress(NoProgress):
    """Somebody presses Ctrl-C when a stage begins."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        if name == self.stage:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(world: SmallWorld, module_data_folder: Path) -> tuple[Any, dict[str, NDArray[Any]], NDArray[np.uint64]]:
    """One build in one block."""
    return build(world.request(module_data_folder, name="whole", block_shape=(40, 100, 90)))


def test_a_build_finds_clefts_candidates_synapses_and_edges(whole: Any) -> None:
    summary, rows, _ = whole
    assert summary.clefts == len(rows["cleft.cleft_id"]) > 50
    assert summary.synapses == len(rows["synapse.cleft_id"]) > 30
    assert summary.synapses + summary.clefts_without_partners == summary.clefts
    assert summary.edges == len(rows["edge.synapse_count"]) > 10
    assert rows["edge.synapse_count"].sum() == summary.synapses
    assert (rows["synapse.pre_segment_id"] != rows["synapse.post_segment_id"]).all()
    assert set(summary.stages) == {"predict", "label", "stitch", "relabel", "assign", "edges"}
    assert summary.stages["predict"].voxels == summary.voxels == 40 * 100 * 90


def test_clefts_are_the_components_of_the_thresholded_prediction(whole: Any) -> None:
    summary, rows, clefts = whole
    stored = Volume.open(summary.folder / "prediction.zarr")
    prediction = stored.read(stored.box)
    components = cc3d.connected_components(prediction >= round(0.7 * 255), connectivity=26)
    sizes = np.bincount(components.ravel())
    kept = [c for c in range(1, len(sizes)) if sizes[c] >= 20]
    assert np.array_equal(clefts != 0, np.isin(components, kept))
    assert len(kept) == summary.clefts
    for cleft_id, size, z, x, mean in zip(
        *(rows[f"cleft.{name}"] for name in ("cleft_id", "size_voxels", "z_nm", "x_nm", "mean_score")), strict=True
    ):
        where = np.argwhere(clefts == cleft_id)
        assert len(where) == size
        assert np.ravel_multi_index(tuple(where[0]), clefts.shape) + 1 == cleft_id
        assert z == pytest.approx(OFFSET_NM[0] + (where[:, 0].mean() + 0.5) * RESOLUTION_NM[0])
        assert x == pytest.approx(OFFSET_NM[2] + (where[:, 2].mean() + 0.5) * RESOLUTION_NM[2])
        assert mean == pytest.approx(prediction[clefts == cleft_id].mean() / 255, abs=1e-5)


def test_partner_points_lie_in_their_segments(whole: Any, world: SmallWorld, module_data_folder: Path) -> None:
    with Database.open(None, module_data_folder) as database:
        found = database.columns(
            "SELECT post_segment_id, post_z_nm, post_y_nm, post_x_nm FROM synapse JOIN run USING (run_id) "
            "WHERE name = 'whole'"
        )
    volume = Volume.open(world.segmentation)
    segmentation = volume.read(volume.box)
    for segment, *point in zip(*found.values(), strict=True):
        voxel = [int((p - o) // r) for p, o, r in zip(point, OFFSET_NM, RESOLUTION_NM, strict=True)]
        assert segmentation[tuple(voxel)] == segment


@pytest.mark.parametrize("block_shape", [(16, 64, 64), (11, 37, 90)])
def test_the_connectome_does_not_depend_on_the_blocks(
    world: SmallWorld, module_data_folder: Path, whole: Any, block_shape: tuple[int, int, int]
) -> None:
    name = "x".join(map(str, block_shape))
    _, rows, clefts = build(world.request(module_data_folder, name=name, block_shape=block_shape))
    assert_same_rows(whole[1], rows)
    assert np.array_equal(whole[2], clefts)


def test_a_box_gives_the_components_inside_it(world: SmallWorld, module_data_folder: Path, whole: Any) -> None:
    box = Box((3, 20, 10), (35, 90, 80))
    summary, _, clefts = build(world.request(module_data_folder, name="box", box=box))
    stored = Volume.open(whole[0].folder / "prediction.zarr")
    inside = stored.read(stored.box)[box.slices()] >= round(0.7 * 255)
    components, count = cc3d.connected_components(inside, connectivity=26, return_N=True)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    assert summary.clefts == (sizes >= 20).sum()
    assert np.array_equal(clefts[box.slices()] != 0, np.isin(components, 1 + np.flatnonzero(sizes >= 20)))
    clefts[box.slices()] = 0
    assert not clefts.any()


def test_a_second_build_of_a_finished_run_does_nothing(world: SmallWorld, module_data_folder: Path, whole: Any) -> None:
    again = build_volume(world.request(module_data_folder, name="whole", block_shape=(40, 100, 90)))
    assert again.already_finished
    assert replace(again, already_finished=False) == whole[0]


def test_a_run_is_not_resumed_with_other_parameters_but_restarted_if_asked(
    world: SmallWorld, module_data_folder: Path
) -> None:
    first = build_volume(world.request(module_data_folder, name="changing"))
    with pytest.raises(RunConflictError, match="exists with min size 20, not 60"):
        build_volume(world.request(module_data_folder, name="changing", min_size_voxels=60))
    restarted = build_volume(world.request(module_data_folder, name="changing", min_size_voxels=60, restart=True))
    assert 0 < restarted.clefts < first.clefts


@pytest.mark.parametrize("restart", [False, True])
def test_a_build_never_replaces_an_imported_run(world: SmallWorld, data_folder: Path, restart: bool) -> None:
    request = world.request(data_folder, name="theirs", restart=restart)
    with Database.open(None, data_folder, create=True) as database:
        with import_run(database, NewImport(name="theirs", parameters={})) as loading:
            pass
        with pytest.raises(RunConflictError, match="'theirs' was imported, not built"):
            build_volume(request)
        assert get_run(database, "theirs").run_id == loading.run_id
    assert not (data_folder / "runs" / "theirs").exists()


def test_volumes_that_vanished_and_inputs_that_changed_are_noticed(data_folder: Path, tmp_path: Path) -> None:
    world = make_small_world(tmp_path)
    request = world.request(data_folder, name="stopped", overlap=True)

    with pytest.raises(KeyboardInterrupt):
        build_volume(request, InterruptedProgress("label"))
    tiles = data_folder / "runs" / "stopped" / "tiles.zarr"
    tiles.rename(tmp_path / "kept.zarr")
    with pytest.raises(RunConflictError, match=r"tiles\.zarr is gone"):
        build_volume(request)
    (tmp_path / "kept.zarr").rename(tiles)
    metadata = world.image / "zarr.json"
    text = metadata.read_text()
    metadata.write_text(text.replace("300", "270"))
    with pytest.raises(RunConflictError, match=r"exists with image .*offset"):
        build_volume(request)
    metadata.write_text(text)
    for path, name in ((world.segmentation, "segmentation"), (world.image, "image")):
        volume = Volume.open(path, writable=True)
        voxels = volume.read(volume.box)
        volume.write(volume.box, np.where(voxels < 60, voxels, voxels - 1).astype(voxels.dtype))
        with pytest.raises(RunConflictError, match=f"the {name} .* changed since run 'stopped' was begun"):
            build_volume(request)
        volume.write(volume.box, voxels)
    assert build_volume(request).clefts > 50
    volume.write(volume.box, np.where(voxels < 60, voxels, voxels - 1).astype(voxels.dtype))
    with pytest.raises(RunConflictError, match="changed since"):
        build_volume(request)


def test_an_empty_folder_that_a_crash_left_does_not_stop_a_build(world: SmallWorld, data_folder: Path) -> None:
    (data_folder / "runs" / "small").mkdir(parents=True)
    assert build_volume(world.request(data_folder)).clefts > 50


@pytest.mark.parametrize(
    ("block_shape", "chunks"),
    [((64, 256, 256), (32, 128, 128)), ((32, 128, 192), (32, 128, 96)), ((37, 211, 257), (37, 211, 257))],
)
def test_chunks_divide_blocks_and_do_not_collapse(
    block_shape: tuple[int, int, int], chunks: tuple[int, int, int]
) -> None:
    assert chunk_shape(block_shape) == chunks


def test_a_run_of_a_version_without_an_option_acted_by_its_default(world: SmallWorld, data_folder: Path) -> None:
    build_volume(world.request(data_folder))
    with Database.open(None, data_folder) as database, database.begin() as connection:
        connection.execute(text("UPDATE run SET parameters = parameters - 'connectivity'"))
    assert build_volume(world.request(data_folder)).already_finished
    with pytest.raises(RunConflictError, match=r"connectivity 26, not 6|connectivity .*6"):
        build_volume(world.request(data_folder, connectivity=6))


def test_a_folder_that_another_database_filled_is_not_replaced_unless_asked(
    world: SmallWorld, module_data_folder: Path, whole: Any, database_url: str
) -> None:
    kept = (whole[0].folder / "clefts.zarr" / "zarr.json").read_bytes()
    request = world.request(module_data_folder, name="whole", database_url=database_url)
    with pytest.raises(RunConflictError, match="holds a run that this database doesn't know"):
        build_volume(request)
    assert (whole[0].folder / "clefts.zarr" / "zarr.json").read_bytes() == kept


def test_two_processes_do_not_build_one_run(world: SmallWorld, module_data_folder: Path, whole: Any) -> None:
    with (
        Database.open(None, module_data_folder) as database,
        lock_run(database, "locked"),
        pytest.raises(RunConflictError, match="another process"),
    ):
        build_volume(world.request(module_data_folder, name="locked"))


def test_a_truncated_chunk_fails_its_blocks_and_a_repaired_one_lets_the_build_finish(
    module_data_folder: Path, whole: Any, tmp_path: Path
) -> None:
    world = make_small_world(tmp_path)
    request = world.request(module_data_folder, name="broken")
    with pytest.raises(KeyboardInterrupt):  # the grey values are measured by then
        build_volume(request, InterruptedProgress("predict"))
    chunk = next(path for path in sorted((world.image / "c").rglob("*")) if path.is_file())
    bytes_before = chunk.read_bytes()
    chunk.write_bytes(bytes_before[:20])
    with pytest.raises(
        IncompleteRunError, match=r"blocks of stage predict failed \(block \d+: .*raw\.zarr can't be read at"
    ):
        build_volume(request)
    with Database.open(None, module_data_folder) as database:
        report = describe_run(database, "broken")
        assert report.state == "incomplete"
        assert 0 < report.stages[0].failed < report.stages[0].blocks == report.stages[0].done + report.stages[0].failed
        assert {block.attempts for block in report.failed} == {3}
    chunk.write_bytes(bytes_before)
    _, rows, _ = build(request)
    assert_same_rows(whole[1], rows)
    with Database.open(None, module_data_folder) as database:
        report = describe_run(database, "broken")
        assert (report.state, report.failed) == ("finished", [])


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["predict", "label", "relabel", "assign"])
def test_a_build_that_is_killed_and_called_again_equals_an_uninterrupted_one(
    world: SmallWorld, module_data_folder: Path, whole: Any, stage: str
) -> None:
    command = [
        sys.executable,
        "-m",
        "connectome.cli",
        "build",
        "volume",
        "--image",
        world.image,
        "--segmentation",
        world.segmentation,
        "--detector",
        world.detector,
        "--assigner",
        world.assigner,
        "--threshold",
        "0.7",
        "--min-size",
        "20",
        "--block-shape",
        "8,20,30",
        "--name",
        f"killed-{stage}",
        "--data-folder",
        module_data_folder,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([str(part) for part in command], env=environment, stderr=subprocess.DEVNULL)
    with Database.open(None, module_data_folder) as database:
        done = _wait_for_block(database, f"killed-{stage}", stage, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert done >= 1
        finished = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr
        assert "were done before" in finished.stderr
        assert_same_rows(whole[1], rows_of(database, f"killed-{stage}"))
    clefts = Volume.open(module_data_folder / "runs" / f"killed-{stage}" / "clefts.zarr")
    assert np.array_equal(clefts.read(clefts.box), whole[2])


def _wait_for_block(database: Database, name: str, stage: str, process: subprocess.Popen[bytes]) -> int:
    """How many blocks of a stage are done, once one is; fails if the build ends before."""
    query = "SELECT count(*) AS n FROM block JOIN run USING (run_id) WHERE name = :name AND stage = :stage"
    end = time.monotonic() + 120
    while time.monotonic() < end:
        done = int(database.columns(query, {"name": name, "stage": stage})["n"][0])
        if done:
            return done
        assert process.poll() is None, "the build ended before it could be killed"
        time.sleep(0.01)
    raise AssertionError(f"no block of stage {stage} was done in two minutes")
