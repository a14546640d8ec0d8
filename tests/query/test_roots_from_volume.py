from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scored_run import FIRST_SEGMENT, RESOLUTION_NM, SHAPE, write_run

from connectome.errors import DtypeError, RootsError, SegmentIdError
from connectome.query.connectome import Connectome
from connectome.query.proofreading import import_roots
from connectome.query.roots_from_volume import VolumeRoots, read_points, roots_from_volume
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.proofreading.roots import list_roots
from connectome.volumes.volume import Volume

PRE, POST = FIRST_SEGMENT, FIRST_SEGMENT + 1
PARTS = (7001, 2**63 - 1)


def write_labels(path: Path, labels: np.ndarray) -> Volume:
    volume = Volume.create(path, shape=SHAPE, dtype=labels.dtype, resolution_nm=RESOLUTION_NM, chunk_shape=(4, 16, 16))
    volume.write(volume.box, labels)
    return volume


@pytest.fixture
def split_run(database: Database, tmp_path: Path) -> Database:
    """One pair of segments with four synapses; their presynaptic points lie at x = 5, 15, 25, 35 voxels, y = 4."""
    labels = np.zeros(SHAPE, np.uint64)
    partners: dict[int, list[tuple[int, int]]] = {}
    for number in range(4):
        start = (1, 4, 10 * number + 5)
        labels[start] = 1 + int(np.ravel_multi_index(start, SHAPE))
        partners[int(labels[start])] = [(PRE, POST)]
    run = write_run(database, tmp_path / "run", labels=labels, partners=partners)
    with database.begin() as connection:
        move = (
            "UPDATE synapse SET {0}_x_nm = x_nm, {0}_y_nm = y_nm, {0}_z_nm = z_nm FROM cleft c WHERE c.run_id = "
            "synapse.run_id AND c.cleft_id = synapse.cleft_id"
        )
        for side in ("pre", "post"):
            connection.exec_driver_sql(move.format(side))
    assert run.name == "small"
    return database


def edges(database: Database, where: Filter) -> dict[tuple[int, int], int]:
    table = Connectome(database).edges(where=where)
    return {(row["pre_id"], row["post_id"]): row["synapse_count"] for row in table.to_pylist()}


def split_labels() -> np.ndarray:
    """Half of the voxels are one part, half the other; a stripe at x >= 30 is background."""
    labels = np.zeros(SHAPE, np.uint64)
    labels[..., :20], labels[..., 20:30] = PARTS
    return labels


def test_a_split_sends_each_synapse_where_its_points_lie(split_run: Database, tmp_path: Path) -> None:
    volume = write_labels(tmp_path / "new.zarr", split_labels())
    report = roots_from_volume(split_run, VolumeRoots(url=volume.url, name="v1"))
    assert (report.synapses, report.reassigned, report.unresolved_sides, report.edges) == (4, 3, 2, 3)
    assert edges(split_run, Filter(roots="v1")) == {
        (PARTS[0], PARTS[0]): 2,
        (PARTS[1], PARTS[1]): 1,
        (PRE, POST): 1,
    }
    assert edges(split_run, Filter(roots="v1", min_confidence=0.0)) == edges(split_run, Filter(roots="v1"))
    assert edges(split_run, Filter()) == {(PRE, POST): 4}


def test_only_what_changed_is_written_and_history_stays(split_run: Database, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"segment_id,root_id\n{PRE},{PARTS[0]}\n{POST},{PARTS[0]}\n")
    import_roots(split_run, tmp_path / "t.csv", "v1")
    volume = write_labels(tmp_path / "new.zarr", split_labels())
    report = roots_from_volume(split_run, VolumeRoots(url=volume.url, name="v2", parent="v1"))
    assert report.reassigned == 1
    assert split_run.columns("SELECT count(*) AS n FROM synapse_root")["n"].tolist() == [1]
    again = roots_from_volume(split_run, VolumeRoots(url=volume.url, name="v3", parent="v2"))
    assert again.reassigned == 0
    expected = {(PARTS[0], PARTS[0]): 3, (PARTS[1], PARTS[1]): 1}
    assert edges(split_run, Filter(roots="v3")) == edges(split_run, Filter(roots="v2")) == expected
    assert edges(split_run, Filter(roots="v1")) == {(PARTS[0], PARTS[0]): 4}
    merged = np.full(SHAPE, PARTS[0], np.uint64)
    back = write_labels(tmp_path / "back.zarr", merged)
    roots_from_volume(split_run, VolumeRoots(url=back.url, name="v4", parent="v3"))
    assert edges(split_run, Filter(roots="v4")) == {(PARTS[0], PARTS[0]): 4}
    records = {record.name: record for record in list_roots(split_run)}
    assert records["v4"].parent_roots_id == records["v3"].roots_id


def test_a_side_that_was_not_split_follows_its_segment_in_later_versions(split_run: Database, tmp_path: Path) -> None:
    with split_run.begin() as connection:
        connection.exec_driver_sql("UPDATE synapse SET post_x_nm = -1")  # beyond the volume: it keeps its segment
    volume = write_labels(tmp_path / "new.zarr", split_labels())
    roots_from_volume(split_run, VolumeRoots(url=volume.url, name="split"))
    (tmp_path / "t.csv").write_text(f"segment_id,root_id\n{POST},20\n")
    import_roots(split_run, tmp_path / "t.csv", "v2", parent="split")
    expected = {(PARTS[0], 20): 2, (PARTS[1], 20): 1, (PRE, 20): 1}
    assert edges(split_run, Filter(roots="v2")) == edges(split_run, Filter(roots="v2", min_confidence=0.0)) == expected
    assert split_run.columns("SELECT count(post_root_id) AS n FROM synapse_root")["n"].tolist() == [0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dtype": np.float32}, DtypeError, "float32; a segmentation's labels are integers"),
        ({"value": 2**63}, SegmentIdError, r"2\^63 - 1"),
        ({"parent": "gone"}, RootsError, "gone"),
        ({"name": "segments"}, RootsError, "segments"),
    ],
)
def test_a_wrong_volume_or_name_makes_no_version(
    split_run: Database, tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    labels = np.full(SHAPE, change.get("value", 5), change.get("dtype", np.uint64))
    volume = write_labels(tmp_path / "new.zarr", labels)
    request = VolumeRoots(url=volume.url, name=change.get("name", "v1"), parent=change.get("parent"))
    with pytest.raises(error, match=message):
        roots_from_volume(split_run, request)
    assert [record.name for record in list_roots(split_run)] == ["segments"]


def test_points_are_read_at_their_voxels_and_beyond_the_border_lies_nothing(tmp_path: Path) -> None:
    labels = np.random.default_rng(5).integers(0, 9, SHAPE).astype(np.uint64)
    volume = write_labels(tmp_path / "labels.zarr", labels)
    voxels = np.random.default_rng(6).integers(-2, np.array(SHAPE) + 2, (500, 3))
    points = (voxels + 0.5) * np.array(RESOLUTION_NM)
    inside = ((voxels >= 0) & (voxels < np.array(SHAPE))).all(axis=1)
    expected = np.where(inside, labels[tuple(np.where(inside[:, None], voxels, 0).T)], 0)
    assert read_points(volume, points).tolist() == expected.tolist()
    assert read_points(volume, points[:0]).tolist() == []
