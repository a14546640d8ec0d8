"""`connectome tune` and `connectome calibrate`: from annotated volumes to a build with their parameters."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from annotated_world import BOX, make_annotated_world
from small_world import SmallWorld
from typer.testing import Result

Cli = Callable[..., Result]
VALUES = (
    "--thresholds",
    "0.75,0.6",
    "--min-sizes",
    "20,50",
    "--dilations",
    "48",
    "--duplicate-distances",
    "0,700",
    "--min-scores",
    "0,0.19",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_annotated_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def on_world(cli: Cli, world: SmallWorld, module_data_folder: Path) -> Cli:
    """Run `connectome COMMAND` with the world's models and the data folder of this file."""

    def run(command: str, *arguments: object) -> Result:
        models = ("--detector", world.detector, "--assigner", world.assigner)
        return cli(command, *models, "--data-folder", module_data_folder, *arguments)

    return run


def tuned(on_world: Cli, world: SmallWorld, folder: Path, *arguments: object) -> Result:
    result = on_world("tune", "--data", f"{world.folder}@{BOX}", *VALUES, "-o", folder / "tuned.toml", *arguments)
    assert result.exit_code == 0, result.stderr
    return result


def test_a_build_with_the_tuned_parameters_has_the_tuned_score(
    cli: Cli, on_world: Cli, world: SmallWorld, module_data_folder: Path, tmp_path: Path
) -> None:
    found = json.loads(tuned(on_world, world, tmp_path, "--json").stdout)
    volumes = ("--image", world.image, "--segmentation", world.segmentation, "--data-folder", module_data_folder)
    box = ("--box", found["volumes"][0]["built_box"])
    built = cli("build", "volume", "--config", tmp_path / "tuned.toml", "--name", "tuned", *volumes, *box)
    assert built.exit_code == 0, built.stderr
    where = ("--run", "tuned", "--reference", world.folder, "--data-folder", module_data_folder)
    scored = json.loads(cli("evaluate", "edges", *where, "--box", BOX, "--json").stdout)
    assert scored["f1"] == found["f1"] == found["volumes"][0]["f1"]
    assert scored["n_predicted"] == found["volumes"][0]["predicted"]


def test_tuning_prints_the_choice_and_writes_parameters_table_and_plots(
    on_world: Cli, world: SmallWorld, tmp_path: Path
) -> None:
    printed = tuned(on_world, world, tmp_path).stdout
    assert printed.startswith("chosen of 16 combinations, mean F1 0.")
    assert f"{world.folder.name}@{BOX}" in printed and "tuned-f1.png" in printed
    values = tomllib.loads((tmp_path / "tuned.toml").read_text())
    assert set(values) == {
        "detector",
        "assigner",
        "threshold",
        "min_size",
        "dilation",
        "duplicate_distance",
        "min_score",
    }
    with (tmp_path / "tuned.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    best = max(float(row["mean_f1"]) for row in rows)
    assert f"mean F1 {best:.3f}" in printed or f"{best:.3f}" in printed
    for name in ("tuned-f1.png", "tuned-curves.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_what_decides_about_further_partners_is_tuned_and_a_build_takes_it(
    cli: Cli, on_world: Cli, world: SmallWorld, module_data_folder: Path, tmp_path: Path
) -> None:
    tried = ("--polyadic", "--thresholds", "0.6", "--min-sizes", "50", "--dilations", "48", "--min-contacts", "0,0.2")
    further = ("--pre-thresholds", "0.5,0.52", "--post-thresholds", "0.4,0.5")
    found = on_world("tune", "--data", f"{world.folder}@{BOX}", *tried, *further, "-o", tmp_path / "p.toml", "--json")
    assert found.exit_code == 0, found.stderr
    chosen = json.loads(found.stdout)
    assert chosen["combinations"] == 8 and chosen["chosen"]["min_contact"] in (0, 0.2)
    volumes = ("--image", world.image, "--segmentation", world.segmentation, "--data-folder", module_data_folder)
    built = cli(
        "build", "volume", "--config", tmp_path / "p.toml", "--name", "polyadic", *volumes, "--box", "0:40,1:100,0:89"
    )
    assert built.exit_code == 0, built.stderr
    query = "SELECT parameters FROM run WHERE name = 'polyadic'"
    recorded = json.loads(cli("sql", query, "--data-folder", module_data_folder, "--format", "json").stdout)[0]
    for name in ("polyadic", "min_contact", "pre_threshold", "post_threshold"):
        assert recorded["parameters"][name] == (True if name == "polyadic" else chosen["chosen"][name])


def test_volumes_that_lie_elsewhere_are_named_one_by_one(on_world: Cli, world: SmallWorld, tmp_path: Path) -> None:
    named = ("--image", world.image, "--segmentation", world.segmentation, "--reference", world.folder, "--box", BOX)
    result = on_world("tune", *named, *VALUES, "-o", tmp_path / "tuned.toml", "--json")
    first = json.loads(tuned(on_world, world, tmp_path, "--json").stdout)
    assert json.loads(result.stdout)["chosen"] == first["chosen"]


def test_calibration_is_told_and_its_model_serves_a_build(
    cli: Cli, on_world: Cli, world: SmallWorld, module_data_folder: Path, tmp_path: Path
) -> None:
    tuned(on_world, world, tmp_path)
    halves = ("--data", f"{world.folder}@0:40,0:100,0:45", "--data", f"{world.folder}@0:40,0:100,45:90*2")
    fitted = on_world(
        "calibrate",
        *halves,
        "--check",
        f"{world.folder}@{BOX}",
        "--config",
        tmp_path / "tuned.toml",
        "-o",
        tmp_path / "confidence.json",
    )
    assert fitted.exit_code == 0, fitted.stderr
    lines = fitted.stdout.splitlines()
    assert "ECE width" in lines[0] and lines[1].startswith("raw scores")
    assert any(line.startswith("all left out") for line in lines)
    volumes = ("--image", world.image, "--segmentation", world.segmentation, "--data-folder", module_data_folder)
    confidence = ("--confidence", tmp_path / "confidence.json")
    name = ("--name", "confident")
    built = cli("build", "volume", "--config", tmp_path / "tuned.toml", *name, *volumes, *confidence)
    assert built.exit_code == 0, built.stderr
    query = "SELECT max(confidence) AS c FROM synapse JOIN run USING (run_id) WHERE name = 'confident'"
    sql = cli("sql", query, "--data-folder", module_data_folder, "--format", "json")
    assert 0 < json.loads(sql.stdout)[0]["c"] < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no annotated volume given"),
        (("--image", "a"), "belong together"),
        (("--data", "DATA", "--thresholds", "0.5,x"), "isn't a list of numbers"),
        (("--data", "DATA", "--thresholds", "2"), "threshold 2.0 must be greater than 0 and at most 1"),
        (("--data", "absent"), "no volume"),
        (("--data", "DATA", "--pre-thresholds", "0.5"), "add --polyadic"),
    ],
)
def test_wrong_input_is_one_clear_line(on_world: Cli, world: SmallWorld, arguments: Any, message: str) -> None:
    given = [str(world.folder) if argument == "DATA" else argument for argument in arguments]
    result = on_world("tune", *given)
    assert result.exit_code == 3
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_edges_are_not_scored_above_an_impossible_confidence(cli: Cli, world: SmallWorld, data_folder: Path) -> None:
    where = ("--run", "x", "--reference", world.folder, "--data-folder", data_folder)
    result = cli("evaluate", "edges", *where, "--min-confidence", "1.5")
    assert result.exit_code == 3 and "min_confidence 1.5 must lie between 0 and 1" in result.stderr
