from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from synapse_batches import LARGEST, example_rows

from connectome.errors import InputError, NeuronNotFoundError, RootsError, TableError
from connectome.query.connectome import Connectome
from connectome.query.importing import ImportRequest, import_synapses
from connectome.query.proofreading import import_annotations, import_roots
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.proofreading.data_sets import choose_data_set
from connectome.store.proofreading.roots import Chains, list_roots
from connectome.tables.kinds import Columns
from connectome.tables.neuron_tables import AnnotationTable, Repeated, RootTable

Rows = list[dict[str, Any]]
MERGED = {LARGEST - 1: LARGEST, LARGEST - 2: LARGEST}


def csv_file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def roots_file(folder: Path, mapping: dict[int, int]) -> Path:
    path = folder / "roots.parquet"
    table = {"segment_id": pa.array(mapping, pa.uint64()), "root_id": pa.array(mapping.values(), pa.uint64())}
    parquet.write_table(pa.table(table), path)
    return path


def merged_edges(rows: Rows, mapping: dict[int, int]) -> dict[tuple[int, int], int]:
    return Counter(
        (
            mapping.get(row["pre_segment_id"], row["pre_segment_id"]),
            mapping.get(row["post_segment_id"], row["post_segment_id"]),
        )
        for row in rows
    )


def edges(connectome: Connectome, where: Filter) -> dict[tuple[int, int], int]:
    found = connectome.edges(where=where)
    ids = zip(found["pre_id"].to_pylist(), found["post_id"].to_pylist(), strict=True)
    return dict(zip(ids, found["synapse_count"].to_pylist(), strict=True))


def test_edges_follow_a_table_of_roots_and_the_segments_stay(
    connectome: Connectome, rows: Rows, tmp_path: Path
) -> None:
    before = edges(connectome, Filter())
    counts = import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    expected = merged_edges(rows, MERGED)
    assert edges(connectome, Filter(roots="v1")) == expected
    assert (counts.edges, counts.ids, counts.found, counts.data_set) == ({"known": len(expected)}, 2, 2, "lab")
    assert edges(connectome, Filter()) == before


@pytest.mark.parametrize("where", [Filter(roots="v1"), Filter(roots="v1", min_confidence=0.0, min_size=1)])
def test_every_question_is_asked_of_roots(connectome: Connectome, rows: Rows, tmp_path: Path, where: Filter) -> None:
    import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    expected = merged_edges(rows, MERGED)
    root = LARGEST
    assert edges(connectome, where) == expected
    (total,) = connectome.totals(root, where=where).to_pylist()
    assert total["output_synapses"] == sum(n for (pre, _), n in expected.items() if pre == root)
    assert connectome.synapses(pre=root, where=where).num_rows == total["output_synapses"]
    autapses = connectome.autapses(where=where).to_pylist()
    assert {row["neuron_id"]: row["synapse_count"] for row in autapses}[root] == expected[root, root]
    with pytest.raises(NeuronNotFoundError, match=f"{LARGEST - 1} is no neuron .* any more: it went to {LARGEST} "):
        connectome.partners(LARGEST - 1, where=where)


def test_a_version_corrects_its_parent_and_both_stay(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    import_roots(connectome.database, roots_file(tmp_path, {LARGEST - 2: LARGEST - 2}), "v2", parent="v1")
    assert edges(connectome, Filter(roots="v2")) == merged_edges(rows, {LARGEST - 1: LARGEST})
    assert edges(connectome, Filter(roots="v1")) == merged_edges(rows, MERGED)
    second, first, segments = list_roots(connectome.database)
    assert [second.name, first.name, segments.name] == ["v2", "v1", "segments"]
    assert (second.parent_roots_id, first.parent_roots_id) == (first.roots_id, None)


def test_a_run_that_is_finished_later_has_edges_between_the_roots_of_every_version(
    connectome: Connectome, rows: Rows, load: Any, tmp_path: Path
) -> None:
    import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    later = example_rows(20, seed=8)
    load("later", later)
    assert connectome.database.columns("SELECT run_id FROM root_refresh")["run_id"].tolist() == [1, 2]
    assert edges(connectome, Filter(roots="v1")) == merged_edges(later, MERGED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("segment_id,root_id\n1,2\n1,3\n", "segment 1"),
        ("segment_id,root_id\n1,9223372036854775808\n", r"2\^63 - 1"),
        ("segment_id,root_id\n1,\n0,5\n", "names no segment with a root"),
        ("segment_id,root_id\n1,2\n2,3\n", "form a chain: 1 belongs to 2"),
        ("segment,root_id\n1,2\n", "no column segment_id or supervoxel_id"),
    ],
)
def test_a_wrong_table_of_roots_makes_no_version(
    connectome: Connectome, rows: Rows, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        import_roots(connectome.database, csv_file(tmp_path / "t.csv", text), "v1")
    assert "\n" not in str(caught.value)
    assert [version.name for version in list_roots(connectome.database)] == ["segments"]


def test_a_version_keeps_its_name_to_itself(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    with pytest.raises(RootsError, match="v1"):
        import_roots(connectome.database, roots_file(tmp_path, {}), "v1")


def test_types_choose_edges_and_make_a_matrix(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    text = f"neuron_id,cell_type,side\n{LARGEST - 1},A,left\n{LARGEST - 2},A,\n{LARGEST - 3},B,right\n"
    table = AnnotationTable(path=csv_file(tmp_path / "t.csv", text), labels={"cell_type": "type", "side": "side"})
    assert import_annotations(connectome.database, table).labels == {"type": 3, "side": 2}
    types = {LARGEST - 1: "A", LARGEST - 2: "A", LARGEST - 3: "B"}
    everything = merged_edges(rows, {})
    assert edges(connectome, Filter(pre_type="A", post_type="B")) == {
        (a, b): n for (a, b), n in everything.items() if types.get(a) == "A" and types.get(b) == "B"
    }
    expected: Counter[tuple[str, str]] = Counter()
    for (a, b), n in everything.items():
        if a in types and b in types:
            expected[types[a], types[b]] += n
    matrix = connectome.type_matrix().to_pylist()
    assert {(row["pre_type"], row["post_type"]): row["synapse_count"] for row in matrix} == expected
    partners = connectome.inputs(LARGEST - 1).to_pylist()
    assert {row["partner_id"]: row["partner_type"] for row in partners} == {
        row["partner_id"]: types.get(row["partner_id"]) for row in partners
    }


def test_a_label_is_replaced_and_belongs_to_its_version(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    import_roots(connectome.database, roots_file(tmp_path, MERGED), "v1")
    for kind in ("A", "B"):
        table = AnnotationTable(path=csv_file(tmp_path / "t.csv", f"root_id,type\n{LARGEST},{kind}\n"))
        import_annotations(connectome.database, table, roots="v1")
    assert connectome.type_matrix(where=Filter(roots="v1"))["pre_type"].to_pylist() == ["B"]
    assert connectome.type_matrix().num_rows == 0


def test_a_version_takes_over_the_annotations_of_its_parents_neurons(
    connectome: Connectome, rows: Rows, tmp_path: Path
) -> None:
    text = f"neuron_id,type\n{LARGEST - 1},A\n{LARGEST - 3},B\n"
    import_annotations(connectome.database, AnnotationTable(path=csv_file(tmp_path / "t.csv", text)))

    def types(version: str) -> set[str]:
        return set(connectome.type_matrix(where=Filter(roots=version))["pre_type"].to_pylist())

    merged = roots_file(tmp_path, {LARGEST - 1: LARGEST})
    import_roots(connectome.database, merged, "alone")
    import_roots(connectome.database, merged, "v1", parent="segments")
    import_roots(connectome.database, roots_file(tmp_path, {LARGEST - 2: LARGEST - 3}), "v2", parent="v1")
    assert (types("alone"), types("v1"), types("v2")) == (set(), {"B"}, {"B"})
    assert set(connectome.type_matrix()["pre_type"].to_pylist()) == {"A", "B"}
    kept = connectome.database.columns("SELECT roots_id, neuron_id FROM annotation WHERE roots_id > 0 ORDER BY 1")
    assert kept["neuron_id"].tolist() == [LARGEST - 3] * 2


def test_a_neuron_that_comes_twice_and_a_label_without_a_name_are_told(
    connectome: Connectome, rows: Rows, tmp_path: Path
) -> None:
    twice = csv_file(tmp_path / "a.csv", "body,type,side\n5,A,left\n6,A,\n5,A,right\n")
    with pytest.raises(TableError, match=r"different things of 1 neurons under 'side' \(such as 5\): a neuron"):
        import_annotations(connectome.database, AnnotationTable(path=twice))
    for rule, side in ((Repeated.FIRST, "left"), (Repeated.LAST, "right"), (Repeated.DROP, None)):
        report = import_annotations(connectome.database, AnnotationTable(path=twice, repeated=rule))
        assert report.labels == {"type": 2} | ({"side": 1} if side else {})
        assert (report.ambiguous, report.in_runs) == (1, 0)
        said = connectome.database.columns("SELECT value FROM annotation WHERE neuron_id = 5 AND label = 'side'")
        assert said["value"].tolist() == [side or "right"]
    with pytest.raises(TableError, match="a column without a name"):
        import_annotations(connectome.database, AnnotationTable(path=twice, labels={"side": " "}))


def test_ids_of_nobody_and_rows_that_are_no_longer_valid_are_left_out_and_counted(
    connectome: Connectome, rows: Rows, tmp_path: Path
) -> None:
    text = (
        "id\tvalid\tdeleted\tsuperceded_id\tpt_root_id\tcell_type\n"
        f"1\tt\t\t\t{LARGEST - 1}\tA\n2\tt\t\t\t0\tB\n3\tt\t\t\t\tB\n4\tf\t\t\t7\tB\n"
        "5\tTrue\t2024-01-01\t\t8\tB\n6\t1\tNaT\t12.0\t9\tB\n7\t\tFalse\t0\t10.0\tC\n"
    )
    table = AnnotationTable(path=csv_file(tmp_path / "cells.tsv", text), labels={"cell_type": "type"})
    report = import_annotations(connectome.database, table)
    assert (report.labels, report.without_id, report.retired, report.in_runs) == ({"type": 2}, 2, 3, 1)
    said = connectome.database.columns("SELECT neuron_id, value FROM annotation ORDER BY 1")
    assert dict(zip(said["neuron_id"].tolist(), said["value"].tolist(), strict=True)) == {10: "C", LARGEST - 1: "A"}


def test_a_table_that_says_nothing_is_told(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="says nothing"):
        import_annotations(connectome.database, AnnotationTable(path=csv_file(tmp_path / "a.csv", "body,type\n5,\n")))
    with pytest.raises(TableError, match="no column kind: its columns are body, type"):
        path = csv_file(tmp_path / "b.csv", "body,type\n5,A\n")
        import_annotations(connectome.database, AnnotationTable(path=path, labels={"kind": "type"}))


SUPERVOXELS = (
    "id,pre_pt_supervoxel_id,pre_pt_root_id,post_pt_supervoxel_id,post_pt_root_id,"
    "ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z\n"
    "1,1001,100,2001,200,1,1,1\n2,1002,100,2001,200,2,2,2\n3,1003,101,2002,200,3,3,3\n4,1004,102,2002,201,4,4,4\n"
)


def supervoxel_run(database: Database, folder: Path, name: str, data_set: str) -> None:
    path = csv_file(folder / f"{name}.csv", SUPERVOXELS)
    import_synapses(database, ImportRequest(path=path, columns=Columns.CAVE, name=name, data_set=data_set))


def test_a_table_of_supervoxels_moves_synapses_and_later_runs_follow_it(
    connectome: Connectome, database: Database, tmp_path: Path
) -> None:
    supervoxel_run(database, tmp_path, "pr", "mouse")
    table = csv_file(tmp_path / "sv.csv", "pt_supervoxel_id,pt_root_id\n1001,110\n1002,111\n5,6\n0,7\n")
    report = import_roots(database, table, "sv")
    assert (report.supervoxels, report.ids, report.found, report.without_root) == (True, 3, 2, 1)
    expected = {(110, 200): 1, (111, 200): 1, (101, 200): 1, (102, 201): 1}
    supervoxel_run(database, tmp_path, "later", "mouse")
    for run in ("pr", "later"):
        assert edges(connectome, Filter(run=run, roots="sv")) == expected
        assert edges(connectome, Filter(run=run, roots="sv", min_size=None, max_size=None)) == expected
        synapses = connectome.synapses(pre=110, where=Filter(run=run, roots="sv"))
        assert (synapses["cleft_id"].to_pylist(), synapses["pre_segment_id"].to_pylist()) == ([1], [100])
    with pytest.raises(NeuronNotFoundError, match=r"100 is no neuron .* went to 110 \(1 synapses\), 111 \(1"):
        connectome.partners(100, where=Filter(run="pr", roots="sv"))
    with pytest.raises(NeuronNotFoundError, match=r"1001 .* 'pr', but a supervoxel of 100 \(1"):
        connectome.partners(1001, where=Filter(run="pr"))
    with pytest.raises(NeuronNotFoundError, match="110 is no neuron of run 'pr': it is one with the roots 'sv'"):
        connectome.partners("110", where=Filter(run="pr"))
    with pytest.raises(NeuronNotFoundError, match=r"12345 is no neuron .* no synapse there"):
        connectome.totals([12345], where=Filter(run="pr"))


def test_a_version_of_supervoxels_is_corrected_by_supervoxels_and_by_its_roots(
    connectome: Connectome, database: Database, tmp_path: Path
) -> None:
    supervoxel_run(database, tmp_path, "pr", "mouse")
    import_roots(database, csv_file(tmp_path / "a.csv", "supervoxel_id,root_id\n1001,110\n1002,111\n"), "sv")
    again = csv_file(tmp_path / "b.csv", "supervoxel_id,root_id\n1002,100\n1004,110\n")
    import_roots(database, again, "sv2", "sv")
    expected = {(110, 200): 1, (100, 200): 1, (101, 200): 1, (110, 201): 1}
    assert edges(connectome, Filter(roots="sv2")) == expected
    merge = csv_file(tmp_path / "c.csv", "segment_id,root_id\n110,120\n")
    with pytest.raises(TableError, match="chain: 1001 belongs to 110"):
        import_roots(database, merge, "sv3", "sv2")
    import_roots(database, merge, "sv3", "sv2", chains=Chains.JOIN)
    expected = {(120, 200): 1, (100, 200): 1, (101, 200): 1, (120, 201): 1}
    assert edges(connectome, Filter(roots="sv3")) == expected
    with pytest.raises(NeuronNotFoundError, match=r"110 is no neuron .* any more: it went to 120$"):
        connectome.partners(110, where=Filter(roots="sv3"))


def test_columns_of_roots_may_have_any_name(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    a, b = LARGEST - 1, LARGEST
    path = csv_file(tmp_path / "t.csv", f"root_630,root_783\n{a},{b}\n")
    renamed = {"root_630": "segment_id", "root_783": "root_id"}
    report = import_roots(connectome.database, RootTable(path=path, renamed=renamed), "783")
    assert (report.supervoxels, report.found) == (False, 1)
    assert edges(connectome, Filter(roots="783")) == merged_edges(rows, {a: b})
    with pytest.raises(TableError, match="has no column root: it has segment_id or supervoxel_id"):
        RootTable(path=path, renamed={"root_630": "root"})
    with pytest.raises(TableError, match="no column root_900: its columns are root_630"):
        RootTable(path=path, renamed={"root_900": "root_id"})


def test_a_build_has_its_segments_as_supervoxels(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    mapping = {LARGEST - 1: LARGEST, LARGEST - 2: LARGEST}
    text = "supervoxel_id,root_id\n" + "".join(f"{a},{b}\n" for a, b in mapping.items())
    report = import_roots(connectome.database, csv_file(tmp_path / "sv.csv", text), "sv")
    assert (report.ids, report.found) == (2, 2)
    assert edges(connectome, Filter(roots="sv")) == merged_edges(rows, mapping)


def test_chains_are_refused_joined_or_kept(connectome: Connectome, rows: Rows, tmp_path: Path) -> None:
    a, b, c = (LARGEST - i for i in (1, 2, 3))
    chain = csv_file(tmp_path / "chain.csv", f"segment_id,root_id\n{a},{b}\n{b},{c}\n{c},{c}\n")
    with pytest.raises(TableError, match=f"chain: {a} belongs to {b}, which the table gives to another root"):
        import_roots(connectome.database, chain, "v1")
    joined = import_roots(connectome.database, chain, "joined", chains=Chains.JOIN)
    assert (joined.joined, joined.found) == (1, 3)
    assert edges(connectome, Filter(roots="joined")) == merged_edges(rows, {a: c, b: c})
    import_roots(connectome.database, chain, "kept", chains=Chains.KEEP)
    assert edges(connectome, Filter(roots="kept")) == merged_edges(rows, {a: b, b: c})
    circle = csv_file(tmp_path / "circle.csv", f"segment_id,root_id\n{a},{b}\n{b},{a}\n")
    with pytest.raises(TableError, match="form a circle"):
        import_roots(connectome.database, circle, "round", chains=Chains.JOIN)
    first = csv_file(tmp_path / "first.csv", f"segment_id,root_id\n{a},{b}\n")
    second = csv_file(tmp_path / "second.csv", f"segment_id,root_id\n{b},{c}\n")
    import_roots(connectome.database, first, "first")
    with pytest.raises(TableError, match=f"chain: {a} belongs to {b}"):
        import_roots(connectome.database, second, "second", "first")
    import_roots(connectome.database, second, "second", "first", chains=Chains.JOIN)
    assert edges(connectome, Filter(roots="second")) == merged_edges(rows, {a: c, b: c})


def test_roots_and_annotations_hold_for_their_data_set_alone(
    connectome: Connectome, rows: Rows, database: Database, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "other.csv", SUPERVOXELS)
    import_synapses(database, ImportRequest(path=path, columns=Columns.CAVE, name="other"))
    types = AnnotationTable(path=csv_file(tmp_path / "t.csv", f"neuron_id,type\n100,KC\n200,MBON\n{LARGEST - 1},A\n"))
    report = import_annotations(database, types)
    assert (report.data_set, report.in_runs) == ("lab", 1)
    assert connectome.type_matrix(where=Filter(run="other")).num_rows == 0
    report = import_annotations(database, types, data_set=choose_data_set(database, run="other"))
    assert (report.data_set, report.in_runs) == ("other", 2)
    assert connectome.type_matrix(where=Filter(run="other"))["synapse_count"].to_pylist() == [2]
    table = csv_file(tmp_path / "r.csv", "segment_id,root_id\n101,100\n")
    assert import_roots(database, table, "mine").found == 0
    made = import_roots(database, table, "theirs", data_set=choose_data_set(database, "other"))
    assert (made.found, made.edges) == (1, {"other": 2})
    with pytest.raises(RootsError, match="'mine' of the roots belongs to the data set 'lab', not to 'other'"):
        connectome.edges(where=Filter(run="other", roots="mine"))
    with pytest.raises(RootsError, match="'mine' of the roots belongs to the data set 'lab', not to 'other'"):
        import_roots(database, table, "child", "mine", data_set=choose_data_set(database, "other"))
