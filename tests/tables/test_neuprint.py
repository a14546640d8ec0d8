from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pytest
from synapse_batches import LARGEST, batch_of

from connectome.errors import TableError
from connectome.tables.kinds import FileKind
from connectome.tables.neuprint import NeuprintReader, write_neuprint

UNIT = (8.0, 8.0, 8.0)
PLACE = {"x_nm": 8.0, "y_nm": 16.0, "z_nm": 24.0}


def packed(x: int, y: int, z: int) -> int:
    return z << 42 | y << 21 | x


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
    t_bar = packed(6, 6, 6)
    assert found.filter(found["pre"])["point_id"].to_pylist() == [t_bar]
    assert set(found["score"].to_pylist()) == {0.5, 0.25}
    assert sorted(set(found["x_nm"].to_pylist())) == [48.0, 56.0]  # the second of a place moved along x
    pairs = pa.Table.from_batches(reader.partner_batches())
    assert pairs["pre_id"].to_pylist() == [t_bar] * 3
    assert pairs["post_id"].to_pylist() == [packed(6, 6, 6), packed(7, 6, 6), packed(7, 7, 7)]


def test_the_place_of_a_point_is_that_of_its_id_and_every_point_has_its_own(tmp_path: Path) -> None:
    points, partners = tmp_path / "points.feather", tmp_path / "partners.feather"
    random = np.random.default_rng(0)
    crowd = [row(1 + i, 5, int(post)) for i, post in enumerate(random.integers(1, 4, 500))]
    with write_neuprint(points, partners, FileKind.FEATHER, UNIT) as writer:
        for start in range(0, 500, 100):
            writer.write_batch(batch_of(crowd[start : start + 100]))
    table = feather.read_table(points)
    x, y, z = (table[axis].to_numpy().astype(np.int64) for axis in "xyz")
    assert (z << 42 | y << 21 | x).tolist() == table["point_id"].to_pylist()
    for kind in ("PreSyn", "PostSyn"):
        ids = table.filter(pc.equal(table["kind"], kind))["point_id"].to_pylist()
        assert len(ids) == len(set(ids)) == 500
    pairs = feather.read_table(partners)
    assert len(set(pairs["pre_id"].to_pylist())) == len(set(pairs["post_id"].to_pylist())) == 500


def test_a_point_that_no_id_can_hold_is_told(tmp_path: Path) -> None:
    far = row(1, 5, 6) | {"pre_x_nm": 8.0 * 2**21}
    with (
        pytest.raises(TableError, match=r"voxels from 2097152 to 2097152, .* hold 0 to 2\^21 - 1"),
        write_neuprint(tmp_path / "a.csv", tmp_path / "b.csv", FileKind.CSV, UNIT) as writer,
    ):
        writer.write_batch(batch_of([far]))


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
