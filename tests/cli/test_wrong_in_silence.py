"""What was once wrong without a word, each with the value that is right: tables in, questions, tables out."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.feather as feather
import pytest
from typer.testing import Result

Run = Callable[..., Result]
SUPERVOXELS = (
    "id,pre_pt_supervoxel_id,pre_pt_root_id,post_pt_supervoxel_id,post_pt_root_id,"
    "ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z\n"
    "1,1001,100,2001,200,1,1,1\n2,1002,100,2001,200,2,2,2\n3,1003,101,2002,200,3,3,3\n4,1004,102,2002,201,4,4,4\n"
)
SCORES = (
    "id,pre_pt_root_id,post_pt_root_id,cleft_score,pre_pt_position_x,pre_pt_position_y,pre_pt_position_z\n"
    "1,10,20,255,0,0,0\n2,10,20,51,0,0,0\n3,10,20,,0,0,0\n4,10,30,,0,0,0\n5,10,40,300,0,0,0\n6,10,50,-1,0,0,0\n"
)


@pytest.fixture
def run(cli: Run, database_url: str, tmp_path: Path) -> Run:
    def call(*arguments: object) -> Result:
        return cli(*arguments, "--database-url", database_url)

    return call


@pytest.fixture
def table(run: Run, tmp_path: Path) -> Callable[..., Result]:
    """Import a table of synapses: table(name, text, columns)."""

    def load(name: str, text: str, columns: str = "cave", *options: object) -> Result:
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        return run("import", "synapses", path, "--from", columns, "--name", name, *options)

    return load


def answer(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def pairs(result: Result) -> dict[tuple[object, object], object]:
    return {(row["pre_id"], row["post_id"]): row["synapse_count"] for row in answer(result)}


def test_confidence_that_no_table_tells_is_unknown_everywhere(
    run: Run, table: Callable[..., Result], tmp_path: Path
) -> None:
    made = table("unk", SCORES, "flywire")
    assert "made unknown: 2 scores outside 0 to 1" in made.stdout
    assert "without confidence: 4 synapses; filters by confidence leave them out" in made.stdout
    means = {row["post_id"]: row["mean_confidence"] for row in answer(run("query", "edges", "--format", "json"))}
    assert means == {20: pytest.approx(0.6), 30: None, 40: None, 50: None}
    sure = run("query", "edges", "--run", "unk", "--min-confidence", 0, "--format", "json")
    assert pairs(sure) == {(10, 20): 2}
    assert sure.stderr == "4 synapses of run 'unk' have no confidence: they are left out\n"
    run("export", "synapses", tmp_path / "out.csv", "--columns", "flywire")
    with (tmp_path / "out.csv").open() as file:
        assert [row["cleft_score"] for row in csv.DictReader(file)] == ["255", "51.00000075995922", "", "", "", ""]
    (tmp_path / "roots.csv").write_text("segment_id,root_id\n30,20\n50,40\n")
    run("roots", "import", tmp_path / "roots.csv", "--name", "v1")
    merged = answer(run("query", "edges", "--roots", "v1", "--format", "json"))
    assert {row["post_id"]: (row["synapse_count"], row["mean_confidence"]) for row in merged} == {
        20: (4, pytest.approx(0.6)),
        40: (2, None),
    }


def test_a_fraction_is_of_all_that_a_neuron_receives(run: Run, table: Callable[..., Result]) -> None:
    header = "id,pre_pt_root_id,post_pt_root_id,size,ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z\n"
    table("frac", header + "1,10,20,100,1,1,1\n2,11,20,100,1,1,1\n3,12,20,5,900,900,900\n4,12,20,5,900,900,900\n")
    for options in ((), ("--min-size", 50), ("--box-nm", "0:10,0:10,0:10"), ("--min-synapses", 1)):
        rows = answer(run("query", "partners", 20, *options, "--format", "json"))
        assert {row["partner_id"]: row["input_fraction"] for row in rows}[10] == 0.25
        edges = answer(run("query", "edges", *options, "--format", "json"))
        assert {row["pre_id"]: row["input_fraction"] for row in edges}[10] == 0.25


def test_a_table_of_supervoxels_acts_and_one_of_nobody_is_warned_of(
    run: Run, table: Callable[..., Result], tmp_path: Path
) -> None:
    table("pr", SUPERVOXELS)
    table("other", SUPERVOXELS.replace("100", "900"))
    (tmp_path / "sv.csv").write_text("pt_supervoxel_id,pt_root_id\n1001,110\n1002,111\n")
    made = run("roots", "import", tmp_path / "sv.csv", "--name", "sv")
    assert made.stderr == "data set: pr, the oldest of 2 (--data-set or --run names another)\n"
    assert made.stdout.splitlines()[-1] == "table: 2 supervoxels, 2 of them in its runs"
    expected = {(110, 200): 1, (111, 200): 1, (101, 200): 1, (102, 201): 1}
    assert pairs(run("query", "edges", "--run", "pr", "--roots", "sv", "--format", "json")) == expected
    (tmp_path / "nobody.csv").write_text("segment_id,root_id\n7,8\n")
    made = run("roots", "import", tmp_path / "nobody.csv", "--name", "none", "--run", "other")
    assert "warning: no run of the data set other holds any of the table's 1 segments" in made.stderr
    refused = run("query", "edges", "--run", "other", "--roots", "sv")
    assert (refused.exit_code, "belongs to the data set 'pr', not to 'other'" in refused.stderr) == (3, True)


def test_a_retired_or_unknown_id_is_no_empty_table(run: Run, table: Callable[..., Result], tmp_path: Path) -> None:
    table("pr", SUPERVOXELS)
    (tmp_path / "merge.csv").write_text("segment_id,root_id\n101,100\n")
    run("roots", "import", tmp_path / "merge.csv", "--name", "m1")
    for arguments, message in (
        (
            ("101", "--roots", "m1"),
            "101 is no neuron of run 'pr' with the roots 'm1' any more: it went to 100 (1 synapses)",
        ),
        (("123456",), "123456 is no neuron of run 'pr': it has no synapse there, and no annotation"),
    ):
        told = run("query", "partners", *arguments, "--run", "pr")
        assert (told.exit_code, told.stdout, told.stderr) == (3, "", f"error: {message}\n")
    library = run("sql", "--name", "partners", "--param", "neuron=123456", "--param", "run=pr")
    assert (library.exit_code, library.stdout, "123456 is no neuron" in library.stderr) == (3, "", True)
    some = run("query", "totals", 100, 123456, "--run", "pr", "--format", "csv")
    assert (some.exit_code, len(some.stdout.splitlines())) == (0, 3)
    assert some.stderr.startswith("123456 is no neuron of run 'pr'")


def test_chains_of_roots_are_refused_with_the_way_out(run: Run, table: Callable[..., Result], tmp_path: Path) -> None:
    table("pr", SUPERVOXELS)
    (tmp_path / "chain.csv").write_text("segment_id,root_id\n100,101\n101,102\n")
    refused = run("roots", "import", tmp_path / "chain.csv", "--name", "chain")
    assert (refused.exit_code, "--chains join takes A to C" in refused.stderr) == (3, True)
    made = run("roots", "import", tmp_path / "chain.csv", "--name", "chain", "--chains", "join")
    assert "chains: 1 segments taken to the end of theirs" in made.stdout
    assert pairs(run("query", "edges", "--roots", "chain", "--format", "json")) == {(102, 200): 3, (102, 201): 1}


def test_types_of_one_animal_are_not_those_of_another(run: Run, table: Callable[..., Result], tmp_path: Path) -> None:
    header = "id,pre_pt_root_id,post_pt_root_id,ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z\n"
    table("one", header + "1,29,30,1,1,1\n")
    table("two", header + "1,29,30,1,1,1\n")
    (tmp_path / "types.csv").write_text("neuron_id,type\n29,KC\n30,MBON\n")
    run("annotate", "import", tmp_path / "types.csv", "--run", "two")
    assert answer(run("query", "matrix", "--types", "--run", "one", "--format", "json")) == []
    (found,) = answer(run("query", "matrix", "--types", "--run", "two", "--format", "json"))
    assert (found["pre_type"], found["post_type"]) == ("KC", "MBON")
    both = table("three", header + "1,29,30,1,1,1\n", "cave", "--data-set", "two")
    assert both.exit_code == 0
    assert len(answer(run("query", "matrix", "--types", "--run", "three", "--format", "json"))) == 1


def test_the_unit_that_is_taken_is_told_and_voxels_ask_for_theirs(run: Run, table: Callable[..., Result]) -> None:
    told = "positions: taken as nm, as the table doesn't say; --unit z,y,x if they count voxels"
    assert told in table("untold", SUPERVOXELS).stdout.splitlines()
    assert told not in table("told", SUPERVOXELS, "cave", "--unit", "40,4,4").stdout
    assert told not in table("nm", SCORES, "flywire").stdout
    refused = table("voxels", "id,pre_root_id,post_root_id,ctr_pos_x_vx,ctr_pos_y_vx,ctr_pos_z_vx\n1,2,3,4,5,6\n")
    assert (refused.exit_code, "column ctr_pos_x_vx counts voxels" in refused.stderr) == (3, True)


def test_files_named_gz_are_compressed(run: Run, table: Callable[..., Result], tmp_path: Path) -> None:
    table("pr", SUPERVOXELS)
    run("export", "edges", tmp_path / "e.csv", "--run", "pr")
    run("export", "edges", tmp_path / "e.csv.gz", "--run", "pr")
    plain = (tmp_path / "e.csv").read_bytes()
    assert gzip.decompress((tmp_path / "e.csv.gz").read_bytes()) == plain
    run("export", "synapses", tmp_path / "s.tsv.gz", "--run", "pr")
    assert gzip.decompress((tmp_path / "s.tsv.gz").read_bytes()).startswith(b'"cleft_id"\t"pre_segment_id"\t')
    again = run("import", "edges", tmp_path / "e.csv.gz", "--name", "again")
    assert again.stdout.splitlines()[0] == "run again: 3 edges of 4 synapses among 5 neurons"
    assert pairs(run("query", "edges", "--run", "again", "--format", "json")) == {
        (100, 200): 2,
        (101, 200): 1,
        (102, 201): 1,
    }


def test_a_run_of_edges_says_that_it_has_no_synapses(run: Run, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("pre,post,weight\nADAL,ADAR,3\n")
    run("import", "edges", tmp_path / "e.csv", "--name", "worm")
    (row,) = answer(run("query", "partners", "ADAL", "--format", "json"))
    assert (row["direction"], row["synapse_count"], row["mean_confidence"]) == ("output", 3, None)
    for arguments in (
        ("query", "synapses"),
        ("query", "box", "0:1,0:1,0:1"),
        ("query", "top", "--min-confidence", 0.5),
        ("export", "synapses", tmp_path / "s.csv"),
        ("export", "graphml", tmp_path / "g.graphml", "--multi"),
        ("sql", "--name", "score_histogram"),
        ("sql", "--name", "size_histogram"),
    ):
        told = run(*arguments)
        assert told.exit_code == 3, arguments
        assert "run 'worm' has no synapses: it holds edges alone" in told.stderr


def test_neuprint_s_one_table_keeps_its_t_bars_together_whatever_the_order(
    run: Run, table: Callable[..., Result], tmp_path: Path
) -> None:
    text = (
        "bodyId_pre,bodyId_post,roi_pre,x_pre,y_pre,z_pre,x_post,y_post,z_post,confidence_pre,confidence_post\n"
        "1,3,EB,5,6,7,8,6,7,0.5,0.5\n2,4,EB,9,6,7,2,2,2,0.8,\n1,4,EB,5,6,7,4,6,7,0.5,1\n"
    )
    made = table("np", text, "neuprint", "--unit", "8,8,8")
    assert made.stdout.splitlines()[0] == "run np: 3 synapses at 2 clefts"
    found = answer(run("query", "synapses", "--format", "json"))
    t_bar = 7 << 42 | 6 << 21 | 5
    assert [(int(row["cleft_id"]), row["number"], row["post_id"], row["confidence"]) for row in found] == [
        (t_bar, 0, 4, 0.5),
        (t_bar, 1, 3, 0.25),
        (t_bar + 4, 0, 4, None),
    ]
    assert [(row["x_nm"], row["post_x_nm"]) for row in found] == [(40.0, 32.0), (40.0, 64.0), (72.0, 16.0)]
    points, partners = tmp_path / "points.feather", tmp_path / "partners.feather"
    run("export", "synapses", points, "--columns", "neuprint", "--partners", partners, "--unit", "8,8,8")
    assert sorted(set(feather.read_table(partners)["pre_id"].to_pylist())) == [t_bar, t_bar + 4]
