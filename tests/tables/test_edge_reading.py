from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from connectome.errors import SegmentIdError, TableError
from connectome.graph.graphml_edges import graphml_edges
from connectome.tables.edge_reading import EDGE_SCHEMA, EdgeReader

LARGE = 864691135000000001


def rows(batches: Iterable[pa.RecordBatch]) -> list[tuple[Any, ...]]:
    table = pa.Table.from_batches(batches, EDGE_SCHEMA).to_pylist()
    return [(row["pre"], row["post"], row["synapses"]) for row in table]


def read(folder: Path, text: str, name: str = "edges.csv", **options: Any) -> list[tuple[Any, ...]]:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return rows(EdgeReader(path=path, **options).batches())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("codex.csv.gz", f"pre_root_id,post_root_id,neuropil,syn_count,nt_type\n{LARGE},7,EB,3,ACH\n7,8,EB,1,ACH\n"),
        ("cave.csv", f"pre_pt_root_id;post_pt_root_id;n_syn;sum_size\n{LARGE};7;3;90\n7;8;1;5\n"),
        ("neuprint.tsv", f"bodyId_pre\tbodyId_post\troi\tweight\n{LARGE}\t7\tAL\t3\n7\t8\tAL\t1\n"),
        ("sheet.csv", f"Source,Target,Weight\n{LARGE},7,3\n7,8,1\n"),
        ("own.csv", f'"pre_id","post_id","synapse_count"\n{LARGE},7,3\n7,8,1\n'),
        ("plain.txt", f"{LARGE} 7 3.0\n7 8 1.0\n"),
        ("zeros.csv", f"pre,post,count\n{LARGE},07,3\n7.0,8,1\n"),
        ("matrix.csv", f",7,8\n{LARGE},3,0\n7,,1\n"),
        ("adjacency.csv", f"pre_id,7,8\n{LARGE},3,0\n7,0,1\n"),
    ],
)
def test_edges_are_found_by_the_names_that_others_give_them(tmp_path: Path, name: str, text: str) -> None:
    assert sorted(read(tmp_path, text, name)) == sorted([(str(LARGE), "7", 3), ("7", "8", 1)])


def test_feather_and_parquet_keep_ids_exactly_also_as_texts_and_categories(tmp_path: Path) -> None:
    ids = [LARGE, LARGE + 1]
    table = pa.table({"pre": pa.array(ids, pa.uint64()), "post": pa.array(list(map(str, ids))), "weight": [1, 2]})
    feather.write_feather(table, tmp_path / "t.feather")
    named = pa.table({"pre": pa.array(["É, a", "b"]).dictionary_encode(), "post": ["b", "b"], "weight": [1.0, 2.0]})
    parquet.write_table(named, tmp_path / "t.parquet")
    reader = EdgeReader(path=tmp_path / "t.feather")
    assert rows(reader.batches()) == [(str(LARGE), str(LARGE), 1), (str(LARGE + 1), str(LARGE + 1), 2)]
    assert rows(EdgeReader(path=tmp_path / "t.parquet").batches()) == [("É, a", "b", 1), ("b", "b", 2)]


def test_rows_without_neurons_or_synapses_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("pre,post,weight,valid,note\n1,2,5,t,a\n0,2,5,t,a\n1,,5,t,a\n1,2,0,t,a\n1,2,,t,a\n1,2,5,f,a\n")
    reader = EdgeReader(path=path)
    assert rows(reader.batches()) == [("1", "2", 5)]
    assert (reader.rows, reader.without_neuron, reader.without_synapses, reader.retired) == (1, 2, 2, 1)
    assert (reader.counted, reader.dropped_columns) == (True, ["note"])
    assert read(tmp_path, "pre,post\n1,2\n1,2\n") == [("1", "2", 1)] * 2


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    text = "axon,dendrite,n\nA,B,3\n"
    with pytest.raises(TableError, match=r"no column pre_id .*post_id .*its columns are axon, dendrite, n$"):
        read(tmp_path, text)
    renamed = {"axon": "pre_id", "dendrite": "post_id", "n": "synapse_count"}
    assert read(tmp_path, text, renamed=renamed) == [("A", "B", 3)]
    with pytest.raises(TableError, match="an edge has no column pre_segment"):
        read(tmp_path, text, renamed={"axon": "pre_segment"})
    with pytest.raises(TableError, match="no column soma"):
        read(tmp_path, text, renamed={"soma": "pre_id"})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("pre,post,weight\n1,2,0.35\n", TableError, "synapses hold 0.35: synapses are counted"),
        ("pre,post,weight\n1,2,-1\n", TableError, "synapses hold -1"),
        ("pre,post,weight\n1,2,many\n", TableError, "no number"),
        ("pre,post,weight\n8.64691135e+17,2,1\n", TableError, r"hold 8.64691135e\+17.*lost digits"),
        ("pre,post,weight\n9223372036854775808,2,1\n", SegmentIdError, r"2\^63 - 1"),
    ],
)
def test_what_no_edge_can_hold_is_told(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_ids_kept_as_floats_are_refused_where_they_may_have_lost_digits(tmp_path: Path) -> None:
    for ids, fine in (([5.0, 6.0], True), ([8.6e17, 5.0], False)):
        parquet.write_table(pa.table({"pre": ids, "post": [1, 2], "weight": [1, 1]}), tmp_path / "t.parquet")
        reader = EdgeReader(path=tmp_path / "t.parquet")
        if fine:
            assert rows(reader.batches()) == [("5", "1", 1), ("6", "2", 1)]
        else:
            with pytest.raises(TableError, match="rounds large ids"):
                list(reader.batches())


GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k0" for="node" attr.name="name" attr.type="string"/>
<key id="k1" for="edge" attr.name="weight" attr.type="double"/>
<graph id="G" edgedefault="{kind}">
<node id="n0"><data key="k0">ADAL</data></node><node id="n1"><data key="k0">ADAR</data></node><node id="n2"/>
<edge source="n0" target="n1"><data key="k1">3</data></edge>
<edge source="n1" target="n2"/>
</graph></graphml>
"""


def test_graphml_of_anybody_is_read_edge_by_edge(tmp_path: Path) -> None:
    path = tmp_path / "g.graphml.gz"
    path.write_bytes(gzip.compress(GRAPHML.format(kind="directed").encode()))
    reader = EdgeReader(path=path)
    assert rows(reader.of_rows(graphml_edges(path))) == [("ADAL", "ADAR", 3), ("ADAR", "n2", 1)]
    assert reader.counted is False
    path.write_bytes(gzip.compress(GRAPHML.format(kind="undirected").encode()))
    with pytest.raises(Exception, match="undirected edges; a connectome's are directed"):
        list(graphml_edges(path))


def test_kinds_of_connections_are_told_and_chosen(tmp_path: Path) -> None:
    path = tmp_path / "worm.csv"
    path.write_text("Source,Target,Weight,Type\nA,B, 3,chemical\nA,B,2,electrical\n B,A,1,chemical\n")
    reader = EdgeReader(path=path)
    assert rows(reader.batches()) == [("A", "B", 3), ("A", "B", 2), ("B", "A", 1)]
    assert reader.kinds == {"Type": {"chemical", "electrical"}}
    reader = EdgeReader(path=path, only={"Type": {"chemical"}})
    assert rows(reader.batches()) == [("A", "B", 3), ("B", "A", 1)]
    assert (reader.left_out, reader.kinds, reader.dropped_columns) == (1, {"Type": {"chemical"}}, [])
    with pytest.raises(TableError, match="no column Kind: its columns are Source"):
        list(EdgeReader(path=path, only={"Kind": {"chemical"}}).batches())


def test_a_large_matrix_is_read_in_parts(tmp_path: Path) -> None:
    size = 1500
    lines = [",".join(["id", *(str(10 * i) for i in range(1, size + 1))])]
    for i in range(1, size + 1):
        cells = ["0"] * size
        cells[(7 * i) % size] = str(i)
        lines.append(",".join([str(10 * i), *cells]))
    path = tmp_path / "matrix.csv"
    path.write_text("\n".join(lines) + "\n")
    found = rows(EdgeReader(path=path).batches())
    assert found == [(str(10 * i), str(10 * ((7 * i) % size + 1)), i) for i in range(1, size + 1)]
