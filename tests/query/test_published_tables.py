"""Published tables, each taken in by one command; what comes of them is counted again by pandas from the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def tables(real_data: Path) -> Path:
    return real_data / "tables"


@pytest.fixture
def run(cli: Run, database_url: str) -> Run:
    def call(*arguments: object) -> Result:
        result = cli(*arguments, "--database-url", database_url)
        assert result.exit_code == 0, result.stderr
        return result

    return call


def edges(run: Run, *options: object) -> dict[tuple[int, int], int]:
    """The edges of a run; ids beyond 2^53 are texts in JSON."""
    found = json.loads(run("query", "edges", "--format", "json", *options).stdout)
    return {(int(row["pre_id"]), int(row["post_id"])): row["synapse_count"] for row in found}


def types(run: Run, *options: object) -> dict[tuple[str, str], int]:
    found = json.loads(run("query", "matrix", "--types", "--format", "json", *options).stdout)
    return {(row["pre_type"], row["post_type"]): row["synapse_count"] for row in found}


def counted(table: pd.DataFrame, pre: str, post: str) -> dict[tuple[Any, Any], int]:
    return {pair: int(count) for pair, count in table.groupby([pre, post]).size().items()}


def test_microns_goes_in_is_typed_proofread_and_counted_from_type_to_type(
    run: Run, tables: Path, tmp_path: Path
) -> None:
    run(
        "import",
        "synapses",
        tables / "microns_v185_synapses.csv",
        "--from",
        "cave",
        "--name",
        "microns",
        "--unit",
        "40,4,4",
    )
    synapses = pd.read_csv(tables / "microns_v185_synapses.csv")
    assert edges(run) == counted(synapses, "pre_root_id", "post_root_id")
    box = json.loads(run("query", "box", "0:40000,0:300000,0:400000", "--format", "json").stdout)
    inside = synapses[
        (synapses.ctr_pt_z_nm < 40000) & (synapses.ctr_pt_y_nm < 300000) & (synapses.ctr_pt_x_nm < 400000)
    ]
    assert {row["cleft_id"] for row in box} == set(inside["id"])
    assert sum(row["size_voxels"] for row in box) == inside.cleft_vx.sum()
    types_of = ("--id", "pt_root_id", "--label", "cell_type=type")
    run("annotate", "import", tables / "microns_v185_soma_valence.csv", *types_of)
    valence = pd.read_csv(tables / "microns_v185_soma_valence.csv").drop_duplicates("pt_root_id")
    named = valence.set_index("pt_root_id").cell_type
    typed = synapses.assign(a=synapses.pre_root_id.map(named), b=synapses.post_root_id.map(named)).dropna(
        subset=["a", "b"]
    )
    assert types(run) == counted(typed, "a", "b")
    first, second = synapses.pre_root_id.value_counts().index[:2]
    (tmp_path / "roots.csv").write_text(f"old_root_id,new_root_id\n{second},{first}\n")
    made = run("roots", "import", tmp_path / "roots.csv", "--name", "merged", "--parent", "segments")
    assert "table: 1 segments, 1 of them in its runs" in made.stdout
    moved = synapses.replace({"pre_root_id": {second: first}, "post_root_id": {second: first}})
    assert edges(run, "--roots", "merged") == counted(moved, "pre_root_id", "post_root_id")
    assert types(run, "--roots", "merged") == types(run)


def test_hemibrain_s_one_table_has_its_t_bars_and_its_confidence(run: Run, tables: Path) -> None:
    path = tables / "hemibrain_synapses.csv"
    made = run("import", "synapses", path, "--from", "neuprint", "--name", "hemibrain", "--unit", "8,8,8", "--json")
    table = pd.read_csv(path)
    report = json.loads(made.stdout)
    bars = table.groupby(["x_pre", "y_pre", "z_pre"]).ngroups
    assert (report["synapses"], report["clefts"], report["unscored"]) == (len(table), bars, 0)
    assert edges(run) == counted(table, "bodyId_pre", "bodyId_post")
    sure = table[(table.confidence_pre * table.confidence_post) >= 0.9]
    assert edges(run, "--min-confidence", 0.9) == counted(sure, "bodyId_pre", "bodyId_post")


def test_the_larva_s_neurons_are_typed(run: Run, tables: Path) -> None:
    run("import", "edges", tables / "larva_edges.txt", "--name", "larva")
    run("annotate", "import", tables / "larva_neurons.csv", "--label", "merge_class=type", "--label", "name")
    table = pd.read_csv(tables / "larva_edges.txt", sep=" ", names=["pre", "post", "count"])
    neurons = pd.read_csv(tables / "larva_neurons.csv", index_col=0, low_memory=False)
    typed = table.assign(a=table.pre.map(neurons.merge_class), b=table.post.map(neurons.merge_class)).dropna()
    wanted = typed.groupby(["a", "b"])["count"].sum()
    assert types(run) == {pair: int(count) for pair, count in wanted.items()}
    strongest = neurons.name[neurons.name == "KC #0"].index[0]
    by_name = json.loads(run("query", "totals", "KC #0", "--format", "json").stdout)
    assert by_name[0]["neuron_id"] == strongest
    assert by_name[0]["output_synapses"] == table[table.pre == strongest]["count"].sum()


def test_flywire_s_annotations_are_labels_and_its_supervoxels_roots(run: Run, tables: Path, tmp_path: Path) -> None:
    path = tables / "flywire_annotations.tsv"
    table = pd.read_csv(path, sep="\t", dtype=str)
    ids = table.root_id.iloc[:2].tolist()
    (tmp_path / "edges.csv").write_text(f"pre_root_id,post_root_id,syn_count\n{ids[0]},{ids[1]},5\n")
    run("import", "edges", tmp_path / "edges.csv", "--name", "codex", "--data-set", "flywire")
    labels = ("--label", "super_class", "--label", "cell_class=type", "--label", "side")
    made = json.loads(run("annotate", "import", path, "--data-set", "flywire", *labels, "--json").stdout)
    assert made["labels"] == {
        "super_class": table.super_class.notna().sum(),
        "type": table.cell_class.notna().sum(),
        "side": table.side.notna().sum(),
    }
    assert made["in_runs"] == 2
    assert types(run) == {(table.cell_class[0], table.cell_class[1]): 5}
    roots = json.loads(run("roots", "import", path, "--name", "783", "--data-set", "flywire", "--json").stdout)
    assert (roots["supervoxels"], roots["ids"]) == (True, len(table))
