"""`connectome build volume` on good and on wrong input: one clear line, the right exit code, nothing half done."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_world import OFFSET_NM, RESOLUTION_NM, SHAPE, SmallWorld, make_small_world
from typer.testing import Result

from connectome.networks.checkpoint import Method
from connectome.pipeline.request import OPTIONS
from connectome.volumes.volume import Volume

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def build(cli: Cli, world: SmallWorld, data_folder: Path) -> Callable[..., Result]:
    """Run the command on the small world with some options replaced; the data folder is a fresh one."""

    def run(**changes: object) -> Result:
        options: dict[str, object] = {
            "image": world.image,
            "segmentation": world.segmentation,
            "detector": world.detector,
            "assigner": world.assigner,
            "data_folder": data_folder,
            "threshold": 0.7,
            "min_size": 20,
        }
        flags: list[object] = []
        for name, value in (options | changes).items():
            flags += [f"--{name.replace('_', '-')}", value]
        return cli("build", "volume", *flags)

    return run


def assert_refused(result: Result, exit_code: int, *words: object) -> None:
    """One line of error on stderr with these words, warnings apart; nothing on stdout."""
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    lines = [line for line in result.stderr.strip().splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    for word in words:
        assert str(word) in lines[0], lines[0]


def write(path: Path, array: np.ndarray, **grid: object) -> Path:
    values = {"resolution_nm": RESOLUTION_NM, "offset_nm": OFFSET_NM} | grid
    volume = Volume.create(path, shape=array.shape, dtype=array.dtype, chunk_shape=(16, 32, 32), **values)
    volume.write(volume.box, array)
    return path


def test_a_build_prints_a_summary_and_sql_answers(
    build: Callable[..., Result], cli: Cli, module_data_folder: Path
) -> None:
    result = build(data_folder=module_data_folder, name="good", block_shape="16,64,64")
    assert result.exit_code == 0, result.stderr
    assert "run 'good' is finished" in result.stdout and "synapses" in result.stdout
    assert "predict:" in result.stderr and "assign:" in result.stderr
    query = "SELECT pre_segment_id, post_segment_id, count(*) FROM synapse GROUP BY 1, 2 ORDER BY 3 DESC"
    rows = json.loads(cli("sql", query, "--format", "json", "--data-folder", module_data_folder).stdout)
    assert len(rows) > 10
    again = build(data_folder=module_data_folder, name="good", block_shape="16,64,64")
    assert "run 'good' was finished already" in again.stdout
    psql = shutil.which("psql")
    if psql is not None:
        url = cli("db", "url", "--data-folder", module_data_folder).stdout.strip()
        found = subprocess.run([psql, url, "-Atc", query], capture_output=True, text=True, check=True)
        assert len(found.stdout.splitlines()) == len(rows)


def test_another_threshold_is_refused_and_told_as_both_were_given_with_the_flags_that_help(
    build: Callable[..., Result], cli: Cli, module_data_folder: Path
) -> None:
    same = {"data_folder": module_data_folder, "name": "typed", "block_shape": "40,100,90"}
    assert build(**same).exit_code == 0
    assert_refused(
        build(**same, threshold=0.8), 7, "exists with threshold 0.7, not 0.8: use another --name, or --restart"
    )
    shown = cli("runs", "show", "typed", "--data-folder", module_data_folder).stdout
    assert re.search(r"^  threshold +0\.7$", shown, re.MULTILINE)


def test_the_help_shows_every_option_in_groups_within_80_columns(cli: Cli) -> None:
    text = cli("build", "volume", "--help", COLUMNS="80", TERMINAL_WIDTH="80").stdout
    assert max(map(len, text.splitlines())) <= 80
    for option in OPTIONS.values():
        assert f"{option.flag} " in text, option.flag
    heads = re.findall(r"^╭─ (.+?) ─", text, re.MULTILINE)
    assert heads[0] == "Options" and {"Volumes", "Models", "Parameters", "How it runs"} <= set(heads)
    first = text.split("╭─")[1]
    assert first.index("--image") < first.index("--segmentation") < first.index("--name")


def test_a_toml_file_holds_the_same_options_and_flags_win(
    cli: Cli, world: SmallWorld, module_data_folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "build.toml"
    config.write_text(
        f'image = "{world.image}"\nsegmentation = "{world.segmentation}"\ndetector = "{world.detector}"\n'
        f'assigner = "{world.assigner}"\nname = "from-file"\nblock_shape = [16, 64, 64]\nthreshold = 0.7\n'
        f'min_size = 5000\nbox = "0:32,0:64,0:90"\ndata_folder = "{module_data_folder}"\n'
    )
    result = cli("build", "volume", "--config", config, "--min-size", 20, "--json")
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["run"] == "from-file"
    assert summary["voxels"] == 32 * 64 * 90
    assert summary["clefts"] > 10  # with 5,000 voxels at least there would be none


def test_how_partners_are_chosen_can_be_said_by_flags_and_by_a_file(
    build: Callable[..., Result], cli: Cli, module_data_folder: Path, world: SmallWorld, tmp_path: Path
) -> None:
    config = tmp_path / "polyadic.toml"
    config.write_text("polyadic = true\npre_threshold = 0.4\npost_threshold = 0.3\n")
    small = {"data_folder": module_data_folder, "min_size": 200, "block_shape": "40,100,90"}
    for name, changes in {
        "near": {"assigner": "nearest"},
        "directed": {"assigner": "nearest", "direction": world.assigner},
        "pruned": {"assigner": world.pruner(Method.MASK_PRUNER)},
        "several": {"config": config},
    }.items():
        result = build(name=name, **small, **changes)
        assert result.exit_code == 0, result.stderr
    query = (
        "SELECT name, parameters->>'assigner_method' AS method, (parameters->>'polyadic')::bool AS polyadic, "
        "parameters->>'post_threshold' AS post, count(cleft_id) AS n, count(DISTINCT cleft_id) AS clefts FROM run "
        "JOIN synapse USING (run_id) WHERE name IN ('near', 'directed', 'pruned', 'several') GROUP BY 1, 2, 3, 4"
    )
    rows = json.loads(cli("sql", query, "--format", "json", "--data-folder", module_data_folder).stdout)
    found = {row["name"]: row for row in rows}
    methods = {name: row["method"] for name, row in found.items()}
    assert methods == {"near": "nearest", "directed": "nearest", "pruned": "mask-pruner", "several": "avan"}
    assert found["several"]["polyadic"] and float(found["several"]["post"]) == 0.3
    assert found["several"]["n"] > found["several"]["clefts"] == found["near"]["n"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('imagee = "a"', "unknown key 'imagee'"),
        ("image = ", "isn't TOML"),
        ('image = "a"\nsegmentation = "b"\nblock_shape = [1, 2]', "block_shape = [1, 2] isn't valid"),
        ('image = "a"', "no segmentation given"),
        ('restart = "false"', "it must be true or false"),
        ("name = ['a']", "it must be text"),
        ("block_shape = [16.7, 64, 64]", "it must be a whole number"),
        ("connectivity = 5", "must be 6 (faces)"),
        ('image = "a"\nsegmentation = "b"\ndilation = inf', "dilation inf must be greater than 0 and at most 500 nm"),
        ('image = "a"\nsegmentation = "b"\npolyadic = true\npre_threshold = 2', "pre threshold 2.0"),
        ('image = "a"\nsegmentation = "b"\npolyadic = 1', "it must be true or false"),
        ('image = "a"\nsegmentation = "b"\nthreshold = 2.0', "threshold 2.0"),
        ('image = "a"\nsegmentation = "b"\nname = "../up"', "usable as a folder name"),
    ],
)
def test_a_wrong_toml_file_is_refused(cli: Cli, tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "build.toml"
    config.write_text(text)
    assert_refused(cli("build", "volume", "--config", config), 3, words)


def test_a_missing_configuration_is_refused(cli: Cli, tmp_path: Path) -> None:
    assert_refused(cli("build", "volume", "--config", tmp_path / "none.toml"), 3, "none.toml can't be read")


def test_a_missing_volume_is_refused(build: Callable[..., Result], tmp_path: Path) -> None:
    assert_refused(build(image=tmp_path / "none.zarr"), 3, "no volume at", "none.zarr")


def test_volumes_that_do_not_overlap_are_refused(build: Callable[..., Result], tmp_path: Path) -> None:
    far = write(tmp_path / "far.zarr", np.ones((8, 16, 16), np.uint64), offset_nm=(30000.0, 0.0, 0.0))
    assert_refused(build(segmentation=far), 3, "don't overlap", "far.zarr")


def test_a_volume_without_resolution_is_refused(
    build: Callable[..., Result], tmp_path: Path, world: SmallWorld
) -> None:
    bare = tmp_path / "bare.zarr"
    shutil.copytree(world.image, bare)
    metadata = json.loads((bare / "zarr.json").read_text())
    del metadata["attributes"]
    (bare / "zarr.json").write_text(json.dumps(metadata))
    assert_refused(build(image=bare), 3, "carries no resolution", "--resolution")


def test_a_float_segmentation_and_a_float_image_are_refused(build: Callable[..., Result], tmp_path: Path) -> None:
    floats = write(tmp_path / "floats.zarr", np.ones(SHAPE, np.float32))
    assert_refused(build(segmentation=floats), 3, "float32", "integers")
    assert_refused(build(image=floats), 3, "float32", "uint8")


def test_an_id_of_two_to_the_63_is_refused_before_anything_is_computed(
    build: Callable[..., Result], tmp_path: Path, data_folder: Path
) -> None:
    ids = np.ones(SHAPE, np.uint64)
    ids[30, 90, 80] = 2**63
    result = build(segmentation=write(tmp_path / "large.zarr", ids))
    assert_refused(result, 3, 2**63, "2^63 - 1", "relabel")
    assert not (data_folder / "runs").exists()


def test_an_id_of_two_to_the_63_just_outside_the_box_is_refused_too(
    build: Callable[..., Result], tmp_path: Path
) -> None:
    ids = np.ones(SHAPE, np.uint64)
    ids[22, 50, 50] = 2**63
    result = build(segmentation=write(tmp_path / "large.zarr", ids), box="0:20,0:100,0:90")
    assert_refused(result, 3, 2**63)


def test_a_single_id_of_two_to_the_63_ends_the_build_which_goes_on_once_it_is_relabelled(
    build: Callable[..., Result], tmp_path: Path, world: SmallWorld, data_folder: Path, cli: Cli
) -> None:
    ids = Volume.open(world.segmentation).read(Volume.open(world.segmentation).box).astype(np.uint64)
    wrong = ids.copy()
    wrong[tuple(n - 1 for n in SHAPE)] = 2**63
    segmentation = write(tmp_path / "large.zarr", wrong)
    result = build(segmentation=segmentation, name="large")
    assert result.exit_code == 3
    assert f"holds the id {2**63} in the box" in result.stderr.splitlines()[-1]
    shown = json.loads(cli("runs", "show", "large", "--json", "--data-folder", data_folder).stdout)
    assert shown["state"] == "incomplete"
    volume = Volume.open(segmentation, writable=True)
    volume.write(volume.box, ids)
    result = build(segmentation=segmentation, name="large")
    assert result.exit_code == 0, result.stderr


def test_a_box_that_the_image_covers_only_in_part_is_refused(build: Callable[..., Result], tmp_path: Path) -> None:
    part = write(tmp_path / "part.zarr", np.ones((20, 100, 90), np.uint8))
    assert_refused(build(image=part, box="0:40,0:100,0:90"), 3, "doesn't cover the box", "0:20,0:100,0:90")


def test_an_image_without_contrast_and_a_useless_normalisation_are_refused(
    build: Callable[..., Result], tmp_path: Path
) -> None:
    flat = write(tmp_path / "flat.zarr", np.full(SHAPE, 900, np.uint16))
    assert_refused(build(image=flat), 3, "flat.zarr shows nothing", "--normalisation none")
    assert_refused(build(normalisation="9,5"), 3, "normalisation '9,5'", "below the high one")
    assert_refused(build(normalisation="dark"), 3, "isn't volume, none or two whole grey values")
    assert_refused(build(normalisation="100,900"), 3, "is beyond uint8")


def test_an_unreachable_database_is_refused(build: Callable[..., Result], data_folder: Path) -> None:
    result = build(database_url="postgresql://someone:secret@127.0.0.1:1/none")
    assert_refused(result, 4, "127.0.0.1")
    assert "secret" not in result.stderr
    assert not data_folder.exists()


def test_a_database_with_an_older_schema_is_refused(
    build: Callable[..., Result], database_url: str, execute_sql: Callable[..., None]
) -> None:
    execute_sql(database_url, "UPDATE alembic_version SET version_num = '0002'")
    assert_refused(build(database_url=database_url), 4, "is older", "connectome db upgrade")


def test_what_is_no_checkpoint_is_refused(build: Callable[..., Result], tmp_path: Path, world: SmallWorld) -> None:
    (tmp_path / "text").write_text("hello")
    assert_refused(build(detector=tmp_path / "text"), 5, "is not a checkpoint")
    assert_refused(build(assigner=world.detector), 5, "is a checkpoint of detector")
    assert_refused(build(detector=tmp_path / "none"), 5, "doesn't exist")


def test_a_box_outside_the_volume_is_refused(build: Callable[..., Result]) -> None:
    assert_refused(build(box="0:41,0:10,0:10"), 3, "0:41,0:10,0:10", "outside the segmentation")
    assert_refused(build(box="5:5,0:10,0:10"), 3, "empty")
    assert_refused(build(box="everything"), 3, "z0:z1,y0:y1,x0:x1")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_refused(build: Callable[..., Result]) -> None:
    assert_refused(build(device="cuda"), 5, "device cuda", "no usable GPU")


def test_an_unknown_flag_is_refused(cli: Cli) -> None:
    result = cli("build", "volume", "--imagee", "a")
    assert result.exit_code == 2
    assert "--imagee" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_line_and_the_build_goes_on_once_there_is_room(
    cli: Cli, world: SmallWorld, tmp_path: Path, database_url: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    command = [
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
        0.7,
        "--min-size",
        20,
        "--data-folder",
        disk,
        "--database-url",
        database_url,
    ]
    try:
        full = cli(*command)
        assert full.exit_code == 7, full.output
        assert full.stdout == ""
        last = full.stderr.strip().splitlines()[-1]
        assert last.startswith("error: run 'default' is incomplete: ") and "can't be written" in last, last
        assert "space" in last.lower(), last
        shown = json.loads(cli("runs", "show", "default", "--json", "--database-url", database_url).stdout)
        assert shown["state"] == "incomplete" and "space" in shown["failed_blocks"][0]["error"].lower()
        graph = cli("build", "graph", "--run", "default", "--database-url", database_url)
        assert graph.exit_code == 7  # half a connectome is handed to nobody
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert cli(*command).exit_code == 0
    finally:
        subprocess.run(["umount", disk], check=True)
