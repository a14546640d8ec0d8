from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from connectome.errors import SegmentIdError, TableError
from connectome.tables.kinds import Columns
from connectome.tables.synapse_reading import SynapseReader

SUPERVOXELS = "pre_pt_supervoxel_id,post_pt_supervoxel_id"
CAVE_HEADER = "id,pre_pt_root_id,post_pt_root_id,ctr_pt_position_x,ctr_pt_position_y,ctr_pt_position_z"


def read(path: Path, columns: Columns = Columns.CAVE, **options: object) -> list[dict[str, object]]:
    return pa.Table.from_batches(SynapseReader(path=path, columns=columns, **options).batches()).to_pylist()


def csv_file(folder: Path, *lines: str, header: str = CAVE_HEADER) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def test_positions_may_be_lists_as_cave_hands_them_out(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": [7],
            "pre_pt_root_id": [864691135000000001],
            "post_pt_root_id": [864691135000000002],
            "pre_pt_position": [[10, 20, 30]],
            "post_pt_position": [[12, 20, 31]],
            "ctr_pt_position": [[11, 21, 30]],
            "size": [340.0],
            "valid": [True],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    (row,) = read(tmp_path / "t.parquet", unit_nm=(40.0, 4.0, 4.0))
    assert (row["x_nm"], row["y_nm"], row["z_nm"]) == (44.0, 84.0, 1200.0)
    assert (row["post_x_nm"], row["post_z_nm"], row["size_voxels"]) == (48.0, 1240.0, 340)


def test_lists_may_be_texts_in_csv(tmp_path: Path) -> None:
    header = "id,pre_pt_root_id,post_pt_root_id,pre_pt_position,post_pt_position"
    path = csv_file(tmp_path, '1,2,3,"[10 20 30]","[12, 22, 31.5]"', header=header)
    (row,) = read(path)
    assert (row["x_nm"], row["y_nm"], row["z_nm"]) == (11.0, 21.0, 30.75)
    with pytest.raises(TableError, match="isn't three numbers"):
        read(csv_file(tmp_path, '1,2,3,"[10 20]","[12 22 31]"', header=header))


def test_rows_that_were_deleted_or_lack_a_partner_are_left_out_and_counted(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "1,2,3,1,1,1,",
        "2,2,3,1,1,1,2024-01-01",
        "3,0,3,1,1,1,",
        "4,2,,1,1,1,",
        header=f"{CAVE_HEADER},deleted",
    )
    reader = SynapseReader(path=path, columns=Columns.CAVE)
    rows = pa.Table.from_batches(reader.batches())
    assert rows["cleft_id"].to_pylist() == [1]
    assert (reader.rows, reader.retired, reader.without_partner) == (1, 1, 2)


def test_flywire_scores_become_confidences_and_codex_needs_no_ids(tmp_path: Path) -> None:
    header = "pre_root_id,post_root_id,x,y,z,cleft_score"
    rows = read(csv_file(tmp_path, "5,6,1,2,3,51", "5,7,1,2,3,300", header=header), Columns.FLYWIRE)
    assert [row["cleft_id"] for row in rows] == [1, 2]
    assert rows[0]["confidence"] == pytest.approx(0.2)
    assert rows[1]["confidence"] is None


def test_scores_outside_0_to_1_become_unknown_and_are_counted_once_a_row_that_is_kept(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "1,2,3,1,1,1,1,0",
        "2,2,3,1,1,1,1.5,-0.1",
        "3,2,3,1,1,1,,0.5",
        "4,2,3,1,1,1,inf,nan",
        "5,0,3,1,1,1,7,0.5",
        header="cleft_id,pre_segment_id,post_segment_id,x_nm,y_nm,z_nm,pre_score,confidence",
    )
    reader = SynapseReader(path=path, columns=Columns.CONNECTOME)
    rows = pa.Table.from_batches(reader.batches())
    assert rows["pre_score"].to_pylist() == [1.0, None, None, None]
    assert rows["confidence"].to_pylist() == [0.0, None, 0.5, None]
    assert (reader.scores_outside, reader.without_partner) == (3, 1)


def test_columns_that_have_no_place_here_are_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1,2,3,1,1,1,0,77,AL", header=f"{CAVE_HEADER},{SUPERVOXELS},neuropil")
    reader = SynapseReader(path=path, columns=Columns.CAVE)
    (batch,) = reader.batches()
    assert (batch["pre_supervoxel_id"].to_pylist(), batch["post_supervoxel_id"].to_pylist()) == ([None], [77])
    assert reader.dropped_columns == ["neuropil"]


def test_rows_are_valid_or_not_whatever_the_way_it_is_written(tmp_path: Path) -> None:
    header = f"{CAVE_HEADER},valid,deleted,superceded_id"
    kept = ("t,,", "True,False,", "1,NaT,0", ",nan,0.0", "true,f,")
    gone = ("f,,", "False,,", "0,,", "t,2024-01-01,", "t,t,", "t,,17")
    lines = [f"{i},2,3,1,1,1,{flags}" for i, flags in enumerate((*kept, *gone), start=1)]
    reader = SynapseReader(path=csv_file(tmp_path, *lines, header=header), columns=Columns.FLYWIRE, unit_nm=(1, 1, 1))
    with pytest.raises(TableError, match=r"has no positions: a synapse needs .* such as pre_pt_position_x"):
        list(reader.batches())
    reader = SynapseReader(path=reader.path, columns=Columns.CAVE)
    rows = pa.Table.from_batches(reader.batches())
    assert rows["cleft_id"].to_pylist() == [1, 2, 3, 4, 5]
    assert (reader.retired, reader.unit_taken, reader.dropped_columns) == (6, True, [])
    table = pa.table(
        {
            "id": [1, 2, 3],
            "pre_pt_root_id": pa.array([5, 5, 5], pa.uint64()),
            "post_pt_root_id": pa.array([6, 6, 6], pa.uint64()),
            "ctr_pt_position": [[1, 1, 1]] * 3,
            "valid": [True, False, None],
            "deleted": pa.array([None, None, 10**15], pa.timestamp("us")),
        }
    )
    feather.write_feather(table, tmp_path / "t.feather")
    assert [row["cleft_id"] for row in read(tmp_path / "t.feather")] == [1]


def test_columns_of_other_names_are_named_and_what_is_missing_is_told(tmp_path: Path) -> None:
    header = "start,end,x,y,depth_nm,certainty"
    path = csv_file(tmp_path, "5,6,1,2,3,0.5", header=header)
    with pytest.raises(
        TableError, match=r"no column pre_segment_id .pre_segment_id., post_segment_id .*columns are start"
    ):
        read(path, Columns.CONNECTOME)
    renamed = {
        "start": "pre_segment_id",
        "end": "post_segment_id",
        "x": "x_nm",
        "y": "y_nm",
        "depth_nm": "z_nm",
        "certainty": "confidence",
    }
    reader = SynapseReader(path=path, columns=Columns.CONNECTOME, renamed=renamed, unit_nm=(40.0, 4.0, 4.0))
    (row,) = pa.Table.from_batches(reader.batches()).to_pylist()
    assert [row[name] for name in ("pre_segment_id", "x_nm", "y_nm", "z_nm", "confidence")] == [5, 4.0, 8.0, 3.0, 0.5]
    with pytest.raises(TableError, match="no column begin: its columns are start"):
        read(path, renamed={"begin": "pre_segment_id"})
    with pytest.raises(TableError, match="a synapse has no column pre: it has cleft_id"):
        read(path, renamed={"start": "pre"})


def test_positions_of_microns_are_in_nm_or_in_voxels_as_their_names_say(tmp_path: Path) -> None:
    header = "id,pre_root_id,post_root_id,cleft_vx,ctr_pt_x_nm,ctr_pt_y_nm,ctr_pt_z_nm"
    header += ",pre_pos_x_vx,pre_pos_y_vx,pre_pos_z_vx"
    path = csv_file(tmp_path, "1,2,3,798,365476,231192,63280,91332,57836,1584", header=header)
    with pytest.raises(TableError, match="column pre_pos_x_vx counts voxels, of a size"):
        read(path)
    (row,) = read(path, unit_nm=(40.0, 4.0, 4.0))
    assert (row["x_nm"], row["z_nm"], row["pre_x_nm"], row["pre_z_nm"]) == (365476.0, 63280.0, 365328.0, 63360.0)
    assert row["size_voxels"] == 798


def test_a_category_is_read_as_what_it_stands_for(tmp_path: Path) -> None:
    ids = pa.array(["5", "6"]).dictionary_encode()
    table = pa.table(
        {"id": [1, 2], "pre_pt_root_id": ids, "post_pt_root_id": ids, "x": [0, 0], "y": [0, 0], "z": [0, 1]}
    )
    feather.write_feather(table, tmp_path / "t.feather")
    assert [row["pre_segment_id"] for row in read(tmp_path / "t.feather", Columns.FLYWIRE)] == [5, 6]


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        (
            "1,9223372036854775808,3,1,1,1",
            SegmentIdError,
            r"pre_pt_root_id holds the id 9223372036854775808.*2\^63 - 1",
        ),
        ("1,2.5,3,1,1,1", TableError, r"row 3, column pre_pt_root_id: '2.5' isn't a whole number"),
        ("1,8.6e17,3,1,1,1", TableError, "8.6e17"),
        ("1,-2,3,1,1,1", TableError, "-2"),
        ("1,2,3,1,here,1", TableError, "here"),
        (",2,3,1,1,1", TableError, "no cleft_id"),
        ("1,2,3,1,,1", TableError, "no y_nm"),
        ("1,2,3,1,1", TableError, "can't be read as a csv table"),
    ],
)
def test_a_wrong_cell_is_told_in_one_line(tmp_path: Path, line: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        read(csv_file(tmp_path, "5,6,7,1,1,1", line))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "table.csv") in str(caught.value)


def test_ids_that_were_kept_as_floats_are_refused(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "pre_pt_root_id": [8.6e17], "post_pt_root_id": [5], "x": [0], "y": [0], "z": [0]})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(TableError, match="double, where ids must be whole numbers"):
        read(tmp_path / "t.parquet", Columns.FLYWIRE)


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, kind: str) -> None:
    names = ["id", "pre_pt_root_id", "post_pt_root_id", "x", "y", "z", "x"]
    table, path = pa.table([pa.array([1])] * 7, names=names), tmp_path / f"t.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "feather":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        path.write_text(",".join(names) + "\n1,1,1,1,1,1,1\n")
    with pytest.raises(TableError, match="has two columns named 'x'"):
        read(path, Columns.FLYWIRE)


def test_a_table_of_other_columns_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1,2,3,1,1,1")
    with pytest.raises(TableError, match=r"no column presyn_segid .*, postsyn_segid.*its columns are id, pre_pt"):
        read(path, Columns.SYNAPTOR)
    with pytest.raises(TableError, match="has no positions"):
        read(csv_file(tmp_path, "1,2,3", header="id,pre_pt_root_id,post_pt_root_id"))


@pytest.mark.parametrize("name", ["absent.csv", "t.xlsx", "t.parquet", "t.feather", "empty.csv", "table.csv.gz"])
def test_a_file_that_is_no_table_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    for present in ("t.xlsx", "t.parquet", "t.feather", "table.csv.gz"):
        (tmp_path / present).write_bytes(b"not a table at all")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(TableError, match=name) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
