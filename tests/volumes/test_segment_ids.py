"""Segment ids that PostgreSQL can't hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connectome.errors import SegmentIdError, StorageError
from connectome.geometry import Box
from connectome.partners.patches import PatchReader
from connectome.volumes.samples import UNREADABLE, look_at
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind, read_segments

SHAPE = (16, 32, 32)
NM = (30.0, 12.0, 12.0)


def view(folder: Path, ids: np.ndarray) -> GridView:
    volume = Volume.create(
        folder / "ids.zarr", shape=ids.shape, dtype=ids.dtype, resolution_nm=NM, chunk_shape=(16, 16, 16)
    )
    volume.write(volume.box, ids)
    return GridView(volume, resolution_nm=NM, anchor_nm=(0.0, 0.0, 0.0), kind=ViewKind.LABELS)


@pytest.mark.parametrize(("dtype", "wrong"), [(np.uint64, 2**63), (np.int64, -1), (np.int32, -7)])
def test_ids_that_are_none_are_refused_where_they_are_read_and_only_there(
    tmp_path: Path, dtype: type, wrong: int
) -> None:
    ids = np.ones(SHAPE, dtype)
    ids[3, 20, 20] = wrong
    segmentation = view(tmp_path, ids)
    with pytest.raises(SegmentIdError, match=f"holds the id {wrong} in the box"):
        read_segments(segmentation, Box((0, 0, 0), SHAPE))
    with pytest.raises(SegmentIdError):
        look_at(segmentation, segmentation, Box((0, 0, 0), SHAPE))
    assert (read_segments(segmentation, Box((4, 0, 0), SHAPE)) == 1).all()


def test_the_largest_id_passes(tmp_path: Path) -> None:
    ids = np.full(SHAPE, 2**63 - 1, np.uint64)
    assert read_segments(view(tmp_path, ids), Box((0, 0, 0), SHAPE)).dtype == np.uint64


def test_samples_leave_a_broken_chunk_to_the_blocks_that_need_it(tmp_path: Path) -> None:
    segmentation = view(tmp_path, np.ones(SHAPE, np.uint64))
    chunk = next(path for path in (tmp_path / "ids.zarr").rglob("c/0/0/0"))
    chunk.write_bytes(chunk.read_bytes()[:10])
    found = look_at(segmentation, segmentation, Box((0, 0, 0), SHAPE))
    assert UNREADABLE in found.digests["segmentation"]
    with pytest.raises(StorageError):
        read_segments(segmentation, Box((0, 0, 0), SHAPE))


def test_what_an_assigner_is_shown_is_checked(tmp_path: Path) -> None:
    ids = np.ones(SHAPE, np.uint64)
    ids[2, 3, 4] = 2**63
    segmentation = view(tmp_path, ids)
    reader = PatchReader(
        image=segmentation,
        segmentation=segmentation,
        clefts=segmentation.volume,
        shape=(8, 8, 8),
        proximity=lambda box: None,
    )
    cleft = Box((3, 3, 3), (5, 5, 5))
    with pytest.raises(SegmentIdError):
        reader.read(np.array([1]), [(cleft, reader.box((4, 4, 4), cleft))])
    assert len(reader.read(np.array([1]), [(cleft, Box((3, 0, 0), (8, 8, 8)))])) == 1
