"""What pieces of image and segmentation show before a build."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from connectome.errors import ContradictionError, SegmentIdError
from connectome.geometry import NmTriple
from connectome.volumes.samples import changed_inputs, look_at
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

SHAPE = (20, 96, 96)
WORKING_NM: NmTriple = (30.0, 12.0, 12.0)


def tissue(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Cells with dark borders and noise, in sections that differ; and the cells' ids."""
    generator = np.random.default_rng(seed)
    points = generator.random((40, 3)) * np.array(SHAPE)
    z, y, x = np.indices(SHAPE)
    distance = np.stack([((z - a) * 2.5) ** 2 + (y - b) ** 2 + (x - c) ** 2 for a, b, c in points])
    ids = distance.argmin(0).astype(np.uint64) + np.uint64(1)
    border = (np.roll(ids, 1, 1) != ids) | (np.roll(ids, 1, 2) != ids)
    noise = gaussian_filter(generator.standard_normal(SHAPE), (0, 1, 1))
    grey = 150 - 60 * gaussian_filter(border.astype(float), (0, 1, 1)) * 2 + 25 * noise / noise.std()
    return np.clip(grey, 1, 254).astype(np.uint8), ids


def view(array: NDArray[np.generic], kind: ViewKind, resolution_nm: NmTriple = WORKING_NM, name: str = "v") -> GridView:
    volume = Volume.create(
        f"memory://{name}/", shape=array.shape, dtype=array.dtype, resolution_nm=resolution_nm, chunk_shape=(8, 32, 32)
    )
    volume.write(volume.box, array)
    return GridView(volume, resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=kind)


def looked_at(image: NDArray[np.generic], segmentation: NDArray[np.generic]):  # type: ignore[no-untyped-def]
    seen, labels = view(image, ViewKind.IMAGE), view(segmentation, ViewKind.LABELS, name="w")
    return look_at(seen, labels, seen.box.intersect(labels.box))


def test_an_image_and_its_segmentation_raise_no_doubt() -> None:
    image, ids = tissue()
    found = looked_at(image, ids)
    assert found.refusals == [] and found.doubts == []
    found.require()


def test_swapped_volumes_are_refused_by_name() -> None:
    image, ids = tissue()
    found = looked_at(ids.astype(np.uint16), image)
    assert len(found.refusals) == 1
    with pytest.raises(ContradictionError, match="swapped"):
        found.require()


def test_labels_as_image_are_refused() -> None:
    _, ids = tissue()
    with pytest.raises(ContradictionError, match="memory://v/ looks like labels: 9"):
        looked_at(ids.astype(np.uint8), ids).require()


def test_an_image_as_segmentation_is_refused() -> None:
    image, _ = tissue()
    with pytest.raises(ContradictionError, match="memory://w/ looks like an image"):
        looked_at(image, image.astype(np.uint32)).require()


def test_an_image_of_another_place_raises_a_doubt() -> None:
    other, ids = tissue(seed=1)[0], tissue(seed=0)[1]
    found = looked_at(other, ids)
    assert found.refusals == []
    assert len(found.doubts) == 1 and "isn't darker where segments" in found.doubts[0]


def test_sections_along_another_axis_raise_a_doubt() -> None:
    image, ids = (np.ascontiguousarray(array.transpose(2, 1, 0)) for array in tissue())
    found = looked_at(image, ids)
    assert any("changes more along x than from section to section" in doubt for doubt in found.doubts)


def test_an_id_that_the_database_cannot_hold_is_refused() -> None:
    image, ids = tissue()
    with pytest.raises(SegmentIdError, match="relabel"):
        looked_at(image, ids + np.uint64(2**63))


def test_a_change_of_voxels_changes_the_digest_of_that_volume() -> None:
    image, ids = tissue()
    before = looked_at(image, ids).digests
    assert looked_at(image, ids).digests == before
    assert changed_inputs(before, before) == []
    assert changed_inputs(before, looked_at(image, np.where(ids > 0, ids + np.uint64(7), ids)).digests) == [
        "segmentation"
    ]
    brighter = image.copy()
    brighter[3, 40, 40] += 1
    assert changed_inputs(before, looked_at(brighter, ids).digests) == ["image"]
    assert changed_inputs({}, before) == []


def test_a_piece_that_could_not_be_read_before_does_not_count_as_changed() -> None:
    assert changed_inputs({"image": "abcd----0123"}, {"image": "abcd45670123"}) == []
    assert changed_inputs({"image": "abcd----0123"}, {"image": "abcd45670124"}) == ["image"]


def test_a_single_value_tells_nothing() -> None:
    for value in (0, 7):
        flat = np.full(SHAPE, value, np.uint8)
        found = looked_at(flat, flat)
        assert found.refusals == [] and found.doubts == []
