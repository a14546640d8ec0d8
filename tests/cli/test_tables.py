"""Tables in and out, and proofreading, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.feather as feather
import pytest
from typer.testing import Result

from connectome.volumes.volume import Volume

Run = Callable[..., Result]
CAVE = (
    "id,pre_pt_root_id,post_pt_root_id,pre_pt_position_x,pre_pt_position_y,pre_pt_position_z,"
    "post_pt_position_x,post_pt_position_y,post_pt_position_z,size\n"
    "1,11,22,10,10,1,12,10,1,300\n2,11,22,50,10,1,52,10,1,200\n3,22,33,10,10,1,12,10,1,100\n4,0,33,1,1,1,1,1,1,5\n"
)


@pytest.fixture
def run(cli: Run, database_url: str, tmp_path: Path) -> Run:
    """Run a command on a database with the run `lab`, three synapses in CAVE's columns at 4x4x40 nm."""

    def call(*arguments: object) -> Result:
        return cli(*arguments, "--database-url", database_url)

    (tmp_path / "cave.csv").write_text(CAVE)
    made = call("import", "synapses", tmp_path / "cave.csv", "--from", "cave", "--name", "lab", "--unit", "40,4,4")
    assert made.stdout.splitlines() == [
        "run lab: 3 synapses at 3 clefts",
        "left out: 1 without both partners",
        "without confidence: 3 synapses; filters by confidence leave them out",
    ]
    return call


def edges(run: Run, *options: object) -> dict[tuple[int, int], int]:
    rows = json.loads(run("query", "edges", "--format", "json", *options).stdout)
    return {(row["pre_id"], row["post_id"]): row["synapse_count"] for row in rows}


def test_a_run_of_a_table_is_asked_drawn_and_exported(run: Run, tmp_path: Path) -> None:
    assert edges(run) == {(11, 22): 2, (22, 33): 1}
    graph = run("export", "graphml", tmp_path / "lab.graphml", "--run", "lab", "--json")
    assert json.loads(graph.stdout)["synapses"] == 3
    out = tmp_path / "out.feather"
    written = run("export", "synapses", out, "--columns", "cave", "--unit", "40,4,4", "--run", "lab")
    assert written.stdout == f"{out}: 3 synapses\n"
    table = feather.read_table(out)
    assert table["id"].to_pylist() == [1, 2, 3]
    assert table["pre_pt_position_x"].to_pylist() == [10, 50, 10]
    assert table["size"].to_pylist() == [300, 200, 100]
    again = run("import", "synapses", out, "--from", "cave", "--name", "back", "--unit", "40,4,4", "--json")
    assert json.loads(again.stdout) == {
        "name": "back",
        "data_set": "back",
        "synapses": 3,
        "clefts": 3,
        "without_partner": 0,
        "retired": 0,
        "scores_outside": 0,
        "unscored": 3,
        "unit_taken": False,
        "dropped_columns": [],
    }
    strong = run("export", "edges", tmp_path / "edges", "--format", "csv", "--columns", "neuprint", "--min-synapses", 2)
    assert strong.stdout.endswith("1 edges\n")
    assert (tmp_path / "edges").read_text() == '"body_pre","body_post","weight"\n11,22,2\n'


def test_neuprints_two_tables_go_out_and_come_in(run: Run, tmp_path: Path) -> None:
    options = ("--partners", tmp_path / "partners.parquet")
    points = tmp_path / "points.parquet"
    assert run("export", "synapses", points, "--columns", "neuprint", *options).exit_code == 0
    assert run("import", "synapses", points, "--from", "neuprint", "--name", "fly", *options).exit_code == 0
    assert edges(run, "--run", "fly") == edges(run, "--run", "lab")
    refused = run("export", "synapses", points, "--columns", "neuprint")
    assert (refused.exit_code, "--partners" in refused.stderr) == (3, True)


def test_roots_are_imported_listed_and_corrected_by_a_volume(run: Run, tmp_path: Path) -> None:
    (tmp_path / "roots.csv").write_text("segment_id,root_id\n22,11\n")
    made = run("roots", "import", tmp_path / "roots.csv", "--name", "v1")
    assert made.stdout.splitlines() == [
        "roots v1 of the data set lab",
        "run lab: 2 edges",
        "table: 1 segments, 1 of them in its runs",
    ]
    assert made.stderr == ""
    assert edges(run, "--roots", "v1") == {(11, 11): 2, (11, 33): 1}
    volume = Volume.create(tmp_path / "new.zarr", shape=(4, 16, 64), dtype="uint64", resolution_nm=(40.0, 4.0, 4.0))
    labels = volume.read(volume.box)
    labels[..., :30], labels[..., 30:] = 11, 44
    volume.write(volume.box, labels)
    split = run("roots", "from-volume", tmp_path / "new.zarr", "--name", "v2", "--parent", "v1")
    assert split.stdout == "roots v2: 2 of 3 synapses reassigned, 2 edges\n"
    assert edges(run, "--roots", "v2") == {(11, 11): 2, (44, 44): 1}
    assert edges(run) == {(11, 22): 2, (22, 33): 1}
    listed = json.loads(run("roots", "list", "--json").stdout)
    assert [(row["version"], row["parent"]) for row in listed] == [("v2", "v1"), ("v1", None), ("segments", None)]
    run("roots", "import", tmp_path / "roots.csv", "--name", "v3", "--parent", "segments")
    assert json.loads(run("roots", "list", "--json").stdout)[0]["parent"] == "segments"
    taken = run("roots", "import", tmp_path / "roots.csv", "--name", "v1")
    assert (taken.exit_code, taken.stderr.count("\n")) == (3, 1)


def test_annotations_make_types(run: Run, tmp_path: Path) -> None:
    (tmp_path / "types.csv").write_text("segment_id,cell_type\n11,Pyr\n22,Bas\n")
    made = run("annotate", "import", tmp_path / "types.csv", "--label", "cell_type=type")
    assert made.stdout == "type: 2 neurons\n"
    assert edges(run, "--pre-type", "Pyr") == {(11, 22): 2}
    matrix = json.loads(run("query", "matrix", "--types", "--format", "json").stdout)
    assert [(row["pre_type"], row["post_type"], row["synapse_count"]) for row in matrix] == [("Pyr", "Bas", 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,pre\n1,2\n", "no column pre_pt_root_id"),
        (CAVE.replace("1,11,22", "1,9223372036854775808,22"), "2^63 - 1"),
        (CAVE.replace("1,11,22", "1,x,22"), "row 2, column pre_pt_root_id: 'x' isn't a whole number"),
    ],
)
def test_a_wrong_table_is_told_in_one_line(run: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    result = run("import", "synapses", tmp_path / "bad.csv", "--from", "cave", "--name", "bad")
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr.splitlines()[-1]
    assert "error: " in result.stderr


def test_what_an_import_leaves_out_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "codex.csv").write_text(
        "pre_root_id,post_root_id,x,y,z,neuropil,cleft_score,gaba\n1,2,1,1,1,AL,51,0.2\n1,2,1,1,1,AL,300,0.9\n"
    )
    made = run("import", "synapses", tmp_path / "codex.csv", "--from", "flywire", "--name", "fly")
    assert made.stdout.splitlines() == [
        "run fly: 2 synapses at 2 clefts",
        "made unknown: 1 scores outside 0 to 1",
        "without confidence: 1 synapses; filters by confidence leave them out",
        "not kept: columns neuropil, gaba",
    ]
