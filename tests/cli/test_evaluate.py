"""`connectome evaluate`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scored_run import FIRST_SEGMENT, write_reference, write_run
from typer.testing import Result

from connectome.store.database import Database

Cli = Callable[..., Result]


@pytest.fixture
def edges(cli: Cli, database: Database, tmp_path: Path) -> Cli:
    """Run `connectome evaluate edges` on a scored run."""
    write_run(database, tmp_path / "run")
    reference = write_reference(tmp_path / "reference.hdf")

    def run(*arguments: object) -> Result:
        where = ("--run", "small", "--reference", reference, "--database-url", database.url)
        return cli("evaluate", "edges", *where, *arguments)

    return run


def test_the_score_is_printed_with_all_synapses(edges: Cli) -> None:
    result = edges()
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:5] == [
        "box        0:8,0:40,0:60",
        "precision  0.500  (3 of 6; 95 % interval 0.188 to 0.812)",
        "recall     0.600  (3 of 5; 95 % interval 0.231 to 0.882)",
        "F1         0.545",
        "ignored    1 predictions in ignored space count neither way",
    ]
    for line in ("true positives: 3", "false positives: 3", "false negatives: 2"):
        assert line in result.stdout.splitlines()
    for reason in ("wrong partners", "duplicate", "no annotated cleft", "missed"):
        assert reason in result.stdout


def test_json_has_the_documented_keys_and_ids_as_text(edges: Cli) -> None:
    found = json.loads(edges("--json").stdout)
    figures = {key: found[key] for key in ("n_predicted", "n_reference", "true_positives", "precision", "recall")}
    assert figures == {"n_predicted": 6, "n_reference": 5, "true_positives": 3, "precision": 0.5, "recall": 0.6}
    assert found["f1"] == pytest.approx(6 / 11)
    assert found["false_positives"] == len(found["false_positive_synapses"]) == 3
    assert found["true_positive_synapses"][0]["pre_segment_id"] == str(FIRST_SEGMENT)
    assert {s["cleft_id"] for s in found["false_negative_synapses"]} == {None}


def test_a_box_is_in_voxels_of_the_segmentation(edges: Cli) -> None:
    found = json.loads(edges("--json", "--box", "0:8,0:40,0:20").stdout)
    assert (found["box"], found["n_predicted"], found["n_reference"]) == ("0:8,0:40,0:20", 2, 2)


def test_every_judged_synapse_goes_to_a_csv_file(edges: Cli, tmp_path: Path) -> None:
    result = edges("--errors", tmp_path / "errors.csv")
    assert result.exit_code == 0
    with (tmp_path / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = [row["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in sorted(kinds)} == {
        "false_negative": 2,
        "false_positive": 3,
        "ignored": 1,
        "true_positive": 3,
    }
    first = rows[0]
    assert (first["reference_cleft_id"], first["pre_segment_id"]) == ("1", str(FIRST_SEGMENT))
    assert (first["x_nm"], first["y_nm"], first["z_nm"]) == ("60.0", "240.0", "120.0")
    assert {row["cleft_id"] for row in rows if row["kind"] == "false_negative"} == {""}


def test_an_unwritable_csv_file_is_one_clear_line(edges: Cli, tmp_path: Path) -> None:
    result = edges("--errors", tmp_path / "nowhere" / "errors.csv")
    assert result.exit_code == 6
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "errors.csv can't be written" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--run", "other"), "no run named 'other'"),
        (("--reference", "/nowhere/x.hdf"), "no reference at /nowhere/x.hdf"),
        (("--box", "0:8,0:40"), "isn't of the form"),
        (("--box", "0:800,0:40,0:60"), "lies outside the reference"),
    ],
)
def test_wrong_input_is_one_clear_line(edges: Cli, arguments: tuple[str, str], message: str) -> None:
    result = edges(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr
    assert result.stderr.count("error: ") == result.stderr.count("\n") == 1


def test_an_assignment_without_a_reference_is_one_clear_line(cli: Cli, tmp_path: Path) -> None:
    result = cli(
        "evaluate",
        "assignment",
        "--image",
        tmp_path / "a",
        "--segmentation",
        tmp_path / "b",
        "--reference",
        tmp_path / "c.hdf",
        "--assigner",
        tmp_path / "d.safetensors",
    )
    assert result.exit_code in (3, 5)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
