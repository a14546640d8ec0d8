from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pytest
from synapse_batches import LARGEST, batch_of

from connectome.errors import TableError
from connectome.tables.kinds import FileKind
from connectome.tables.neuprint import FIRST_POST_ID, NeuprintReader, write_neuprint

UNIT = (8.0, 8.0, 8.0)
PLACE = {"x_nm": 8.0, "y_nm": 16.0, "z_nm": 24.0}


def row(cleft: int, pre: int, post: int, number: int = 0) -> dict[str, object]:
    points = {f"{side}_{axis}_nm": 8.0 * post for side in ("pre", "post") for axis in "xyz"}
    return {
        "cleft_id": cleft,
        "pre_segment_id": pre,
        "post_segment_id": post,
        "number": number,
        "pre_score": 0.5,
        "post_score": 0.25,
        **PLACE,
        **points,
    }


@pytest.mark.parametrize("kind", FileKind)
def test_a_point_is_written_once_for_all_its_partners(tmp_path: Path, kind: FileKind) -> None:
    points, partners = tmp_path / f"points.{kind}", tmp_path / f"partners.{kind}"
    with write_neuprint(points, partners, kind, UNIT) as writer:
        writer.write_batch(batch_of([row(LARGEST, 5, 6), row(LARGEST, 5, 6, 1)]))
        writer.write_batch(batch_of([row(LARGEST, 5, 7)]))
    reader = NeuprintReader(points=points, partners=partners, unit_nm=UNIT)
    found = pa.Table.from_batches(reader.point_batches())
    assert sorted(zip(found["pre"].to_pylist(), found["body"].to_pylist(), strict=True)) == [
        (False, 6),
        (False, 6),
        (False, 7),
        (True, 5),
    ]
    assert found.filter(found["pre"])["point_id"].to_pylist() == [LARGEST]
    assert set(found["score"].to_pylist()) == {0.5, 0.25}
    assert sorted(set(found["x_nm"].to_pylist())) == [48.0, 56.0]
    pairs = pa.Table.from_batches(reader.partner_batches())
    assert pairs["pre_id"].to_pylist() == [LARGEST] * 3
    assert [post % 2**64 for post in pairs["post_id"].to_pylist()] == [FIRST_POST_ID + i for i in range(3)]


def test_a_cleft_of_two_presynaptic_segments_is_no_point(tmp_path: Path) -> None:
    with (
        pytest.raises(TableError, match="cleft 3 has synapses of two presynaptic segments"),
        write_neuprint(tmp_path / "a.csv", tmp_path / "b.csv", FileKind.CSV, UNIT) as writer,
    ):
        writer.write_batch(batch_of([row(3, 5, 6), row(3, 7, 6)]))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_of_point_is_told(tmp_path: Path) -> None:
    table = pa.table({"point_id": [1], "x": [1], "y": [1], "z": [1], "kind": ["Other"], "conf": [1.0], "body": [4]})
    feather.write_feather(table, tmp_path / "p.feather")
    with pytest.raises(TableError, match="kind holds something else than PreSyn and PostSyn"):
        list(NeuprintReader(points=tmp_path / "p.feather", partners=tmp_path / "q").point_batches())
    with pytest.raises(TableError, match="no column pre_id"):
        list(NeuprintReader(points=tmp_path, partners=tmp_path / "p.feather").partner_batches())
