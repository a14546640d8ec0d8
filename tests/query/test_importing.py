from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from synapse_batches import LARGEST, example_rows

from connectome.errors import ConfigError, InputError, RunConflictError, TableError
from connectome.query.connectome import Connectome
from connectome.query.exporting import export_edges, export_synapses
from connectome.query.importing import ImportRequest, import_synapses
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.runs.runs import find_run, get_run
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.synapse_writing import TableTarget

Rows = list[dict[str, Any]]
EVERYTHING = """
SELECT cleft_id, number, pre_segment_id, post_segment_id, source_id, pre_score, post_score, confidence, pre_x_nm,
       pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm, size_voxels, mean_score, max_score, x_nm, y_nm, z_nm,
       start_x_nm, stop_z_nm
FROM synapse JOIN cleft USING (run_id, cleft_id) JOIN run USING (run_id) WHERE name = :name ORDER BY cleft_id, number
"""
CARRIED = {
    Columns.CAVE: ["size_voxels", "x_nm", "pre_x_nm", "post_z_nm"],
    Columns.FLYWIRE: ["confidence", "x_nm", "pre_x_nm", "post_z_nm"],
    Columns.SYNAPTOR: ["size_voxels", "x_nm", "pre_x_nm", "post_z_nm", "pre_score", "post_score", "start_x_nm"],
    Columns.NEUPRINT: ["pre_score", "post_score"],
}


def export(database: Database, path: Path, run: str, columns: Columns) -> ImportRequest:
    """Export a run; returns the request that imports it again under the name `back`."""
    partners = path.with_name(f"partners{path.suffix}") if columns is Columns.NEUPRINT else None
    target = TableTarget(path=path, kind=FileKind(path.suffix[1:]), columns=columns)
    export_synapses(database, target, Filter(run=run), partners=partners)
    return ImportRequest(path=path, columns=columns, name="back", partners=partners)


def stored(database: Database, name: str) -> dict[str, list[Any]]:
    return {column: values.tolist() for column, values in database.columns(EVERYTHING, {"name": name}).items()}


@pytest.mark.parametrize("kind", FileKind)
@pytest.mark.parametrize("columns", Columns)
def test_an_export_imports_back_to_the_same_rows(
    known: Connectome, known_rows: Rows, tmp_path: Path, columns: Columns, kind: FileKind
) -> None:
    database, name = known.database, f"{columns} {kind}"
    first = export(database, tmp_path / f"first.{kind}", "known", columns)
    report = import_synapses(database, replace(first, name=name))
    assert (report.synapses, report.clefts) == (len(known_rows), len(known_rows))
    assert (report.without_partner, report.retired) == (0, 0)
    before, after = stored(database, "known"), stored(database, name)
    assert max(before["pre_segment_id"]) == LARGEST - 1
    assert max(before["cleft_id"]) == LARGEST
    if columns is Columns.NEUPRINT:  # ids and order are those of places, and a place is a voxel: 1 nm here
        x, y, z = (np.floor(before[f"pre_{axis}_nm"]).astype(int) for axis in "xyz")
        order = np.argsort(z << 42 | y << 21 | x)
        before = {column: np.array(values, object)[order].tolist() for column, values in before.items()}
        assert after["cleft_id"] == np.sort(z << 42 | y << 21 | x).tolist()
        assert after["post_z_nm"] == np.floor(np.array(before["post_z_nm"], float)).tolist()
    else:
        assert after["cleft_id"] == before["cleft_id"]
    for column in ("number", "pre_segment_id", "post_segment_id", *CARRIED.get(columns, before)):
        assert after[column] == before[column], column
    second = export(database, tmp_path / f"second.{kind}", name, columns)
    if columns is not Columns.NEUPRINT:  # whose rows now lie in the order of their places
        assert second.path.read_bytes() == first.path.read_bytes()


def test_an_imported_run_is_finished_and_knows_where_it_came_from(
    database: Database, rows: Rows, tmp_path: Path
) -> None:
    run = get_run(database, "known")
    assert run.state == "finished"
    assert run.parameters["columns"] == "connectome"
    (file,) = run.parameters["files"]
    assert (file["path"], len(file["sha256"])) == (str(tmp_path / "known.parquet"), 64)


@pytest.mark.parametrize("columns", [Columns.CONNECTOME, Columns.CAVE, Columns.SYNAPTOR, Columns.NEUPRINT])
def test_several_synapses_of_one_cleft_stay_together(
    database: Database, load: Any, tmp_path: Path, columns: Columns
) -> None:
    rows = example_rows(3)
    step = 2 if columns is Columns.CONNECTOME else 1  # only its own columns hold numbers; merged duplicates leave gaps
    for number, row in enumerate(rows):
        row |= {"cleft_id": 7, "pre_segment_id": 9, "number": step * number, "source_id": None}
        row |= {name: rows[0][name] for name in row if name.startswith("pre_") and name != "pre_segment_id"}
    rows[1]["post_segment_id"] = rows[0]["post_segment_id"]
    load("polyadic", rows)
    report = import_synapses(database, export(database, tmp_path / "t.csv", "polyadic", columns))
    assert (report.synapses, report.clefts) == (3, 1)
    before, after = stored(database, "polyadic"), stored(database, "back")
    assert len(set(after["cleft_id"])) == 1
    assert after["cleft_id"] == before["cleft_id"] or columns is Columns.NEUPRINT
    for name in ("number", "pre_segment_id", "post_segment_id"):
        assert sorted(after[name]) == sorted(before[name])


def test_numbers_that_do_not_ascend_in_their_cleft_are_refused(database: Database, tmp_path: Path) -> None:
    table = "cleft_id,pre_segment_id,post_segment_id,number,x_nm,y_nm,z_nm\n7,1,2,1,0,0,0\n7,1,3,1,0,0,0\n"
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(TableError, match="cleft 7: the numbers of its synapses must ascend from 0: correct"):
        import_synapses(database, ImportRequest(path=tmp_path / "t.csv", columns=Columns.CONNECTOME, name="numbers"))
    assert find_run(database, "numbers") is None


def test_neuprints_own_point_ids_are_kept_and_a_body_may_be_hit_twice(database: Database, tmp_path: Path) -> None:
    points = pa.table(
        {
            "point_id": pa.array([10, 21, 22, 23, 24], pa.uint64()),
            "x": [1, 2, 3, 4, 5],
            "y": [1] * 5,
            "z": [1] * 5,
            "kind": pa.array(["PreSyn", "PostSyn", "PostSyn", "PostSyn", "PostSyn"]).dictionary_encode(),
            "conf": pa.array([0.5, 0.5, 1.0, 1.5, 1.0], pa.float32()),
            "body": pa.array([5, 6, 6, 7, 0], pa.uint64()),
            "roi": ["AL"] * 5,
        }
    )
    feather.write_feather(points, tmp_path / "points.feather")
    pairs = {"pre_id": pa.array([10] * 5, pa.uint64()), "post_id": pa.array([22, 21, 23, 24, 99], pa.uint64())}
    feather.write_feather(pa.table(pairs), tmp_path / "partners.feather")
    request = ImportRequest(
        path=tmp_path / "points.feather",
        columns=Columns.NEUPRINT,
        name="fly",
        partners=tmp_path / "partners.feather",
        unit_nm=(8.0, 8.0, 8.0),
    )
    report = import_synapses(database, request)
    assert (report.synapses, report.clefts, report.without_partner) == (3, 1, 2)
    assert (report.scores_outside, report.dropped_columns) == (1, ["roi"])
    found = stored(database, "fly")
    assert found["source_id"] == [21, 22, 23]
    assert found["post_segment_id"] == [6, 6, 7]
    assert found["confidence"] == [0.25, 0.5, None]
    assert found["post_x_nm"] == [16.0, 24.0, 32.0]
    edges = database.columns("SELECT post_segment_id, synapse_count FROM edge ORDER BY 1")
    assert edges["synapse_count"].tolist() == [2, 1]
    again = export(database, tmp_path / "out.feather", "fly", Columns.NEUPRINT)
    assert again.partners is not None
    places = [8 * x | 8 << 21 | 8 << 42 for x in (2, 3, 4)]  # in voxels of 1 nm
    assert feather.read_table(again.partners)["post_id"].to_pylist() == places


@pytest.mark.parametrize("columns", [c for c in Columns if c is not Columns.CONNECTOME])
def test_edges_are_exported_in_the_names_of_others(
    known: Connectome, known_rows: Rows, tmp_path: Path, columns: Columns
) -> None:
    path = tmp_path / "edges.parquet"
    target = TableTarget(path=path, kind=FileKind.PARQUET, columns=columns)
    count = export_edges(known.database, target, Filter(run="known"))
    table = parquet.read_table(path)
    expected = {
        Columns.CAVE: ["pre_pt_root_id", "post_pt_root_id", "n_syn", "sum_size"],
        Columns.FLYWIRE: ["pre_pt_root_id", "post_pt_root_id", "syn_count"],
        Columns.SYNAPTOR: ["presyn_segid", "postsyn_segid", "count", "size"],
        Columns.NEUPRINT: ["body_pre", "body_post", "weight"],
    }[columns]
    assert table.column_names == expected
    pairs = sorted({(row["pre_segment_id"], row["post_segment_id"]) for row in known_rows})
    assert list(zip(table[0].to_pylist(), table[1].to_pylist(), strict=True)) == pairs
    assert (count, sum(table[2].to_pylist())) == (len(pairs), len(known_rows))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1,2,3,1,1,1", "9223372036854775808,2,3,1,1,1"], r"2\^63 - 1"),
        (["1,2,3,1,1,1", "2,2,x,1,1,1"], "'x' isn't a whole number"),
        (["1,0,3,1,1,1"], "nothing was imported"),
        (["0,2,3,1,1,1"], "a synapse has the id 0: ids of clefts are 1 or more"),
        (["7,2,3,1,1,1"] * 32_769, "cleft 7 has more than 32,768 synapses"),
        (["1,2,3,1,1,1", "5,2,3,1,1,1", "1,2,4,1,1,1"], "cleft 1 .* sort the table"),
    ],
)
def test_an_error_leaves_no_run_behind(database: Database, tmp_path: Path, lines: list[str], message: str) -> None:
    header = "id,pre_pt_root_id,post_pt_root_id,ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z"
    path = tmp_path / "t.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    with pytest.raises(InputError, match=message):
        import_synapses(database, ImportRequest(path=path, columns=Columns.CAVE, name="bad"))
    assert find_run(database, "bad") is None
    assert database.columns("SELECT count(*) AS n FROM cleft")["n"].tolist() == [0]


def test_a_name_that_is_taken_and_a_missing_second_table_are_refused(
    database: Database, rows: Rows, tmp_path: Path
) -> None:
    request = ImportRequest(path=tmp_path / "known.parquet", columns=Columns.CONNECTOME, name="known")
    with pytest.raises(RunConflictError, match="a run named 'known' exists already"):
        import_synapses(database, request)
    with pytest.raises(ConfigError, match="usable as a folder name"):
        replace(request, name="a/b")
    with pytest.raises(ConfigError, match="second table of partners belongs to neuPrint's points alone"):
        ImportRequest(path=tmp_path, columns=Columns.CAVE, name="x", partners=tmp_path)
    with pytest.raises(TableError, match="No such file"):
        import_synapses(database, ImportRequest(path=tmp_path / "no.csv", columns=Columns.CAVE, name="x"))
