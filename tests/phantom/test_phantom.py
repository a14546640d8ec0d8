"""The phantom: the same voxels whichever way it is cut, and a ground truth that is exact."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from connectome.errors import BoxError, ConfigError
from connectome.geometry import Box
from connectome.phantom import Phantom, PhantomBlock, PhantomConfig
from connectome.phantom.sections import section_at

# 20 sections a period: two missing and two shifted sections may fall into these 40
CONFIG = PhantomConfig(shape=(40, 128, 144), seed=3, artefact_period_sections=20)
EVERYWHERE = np.ones((3, 3, 3), bool)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return Phantom(CONFIG)


@pytest.fixture(scope="module")
def whole(phantom: Phantom) -> PhantomBlock:
    return phantom.render(CONFIG.box)


def test_the_test_phantom_has_synapses_a_missing_and_a_shifted_section(phantom: Phantom) -> None:
    sections = [section_at(CONFIG, z) for z in range(CONFIG.shape[0])]
    assert len(phantom.synapses()) >= 5
    assert any(section.is_missing for section in sections)
    assert any(section.shift != (0, 0) for section in sections)


@pytest.mark.parametrize("text", ["0:5,0:16,0:16", "7:29,31:106,45:130", "33:40,81:128,99:144"])
def test_a_box_made_alone_equals_the_same_box_of_the_whole(whole: PhantomBlock, text: str) -> None:
    box = Box.parse(text)
    alone = Phantom(CONFIG).render(box)
    assert np.array_equal(alone.image, whole.image[box.slices()])
    assert np.array_equal(alone.segmentation, whole.segmentation[box.slices()])
    assert np.array_equal(alone.clefts, whole.clefts[box.slices()])


def test_synapses_do_not_depend_on_what_was_rendered_before(phantom: Phantom, whole: PhantomBlock) -> None:
    assert Phantom(CONFIG).synapses() == phantom.synapses()


def test_another_seed_is_another_tissue(whole: PhantomBlock) -> None:
    box = Box.parse("0:4,0:64,0:64")
    other = Phantom(PhantomConfig(shape=CONFIG.shape, seed=4)).render(box)
    assert (other.segmentation != whole.segmentation[box.slices()]).mean() > 0.5


def test_listed_clefts_and_no_others_are_in_the_labels(phantom: Phantom, whole: PhantomBlock) -> None:
    listed = [synapse.cleft_id for synapse in phantom.synapses()]
    assert listed == sorted(set(np.unique(whole.clefts).tolist()) - {0})


def test_each_cleft_is_one_object_of_the_listed_size_and_centroid(phantom: Phantom, whole: PhantomBlock) -> None:
    for synapse in phantom.synapses():
        mask = whole.clefts == synapse.cleft_id
        assert ndimage.label(mask, EVERYWHERE)[1] == 1
        assert int(mask.sum()) == synapse.size_voxels
        assert np.allclose(np.argwhere(mask).mean(axis=0), synapse.centroid_voxel, atol=1e-9)


def test_no_two_clefts_touch(whole: PhantomBlock) -> None:
    assert ndimage.label(whole.clefts > 0, EVERYWHERE)[1] == len(np.unique(whole.clefts)) - 1


def test_both_partners_lie_beside_the_cleft_and_hold_their_points(phantom: Phantom, whole: PhantomBlock) -> None:
    for located in phantom.located_synapses():
        synapse = located.reference
        near = ndimage.binary_dilation(whole.clefts == synapse.cleft_id, np.ones((1, 7, 7), bool))
        beside = set(np.unique(whole.segmentation[near]).tolist())
        assert synapse.pre_segment_id != synapse.post_segment_id
        assert {synapse.pre_segment_id, synapse.post_segment_id} <= beside
        for point, segment in (
            (located.pre_nm, synapse.pre_segment_id),
            (located.post_nm, synapse.post_segment_id),
        ):
            voxel = tuple(int(p // r) for p, r in zip(point, CONFIG.resolution_nm, strict=True))
            assert whole.segmentation[voxel] == segment


def test_missing_sections_are_blank_but_keep_their_labels(whole: PhantomBlock) -> None:
    for z in range(CONFIG.shape[0]):
        assert (not whole.image[z].any()) == section_at(CONFIG, z).is_missing
        assert whole.segmentation[z].any()


def test_the_labels_of_a_shifted_section_move_with_its_image(whole: PhantomBlock) -> None:
    still = Phantom(PhantomConfig(shape=CONFIG.shape, seed=CONFIG.seed, artefacts=False, artefact_period_sections=20))
    z = next(z for z in range(CONFIG.shape[0]) if section_at(CONFIG, z).shift != (0, 0))
    dy, dx = section_at(CONFIG, z).shift
    size = 60
    unmoved = still.render(Box((z, 40, 40), (z + 1, 40 + size, 40 + size))).segmentation[0]
    moved = whole.segmentation[z, 40 + dy : 40 + dy + size, 40 + dx : 40 + dx + size]
    assert np.array_equal(moved, unmoved)


def test_the_image_looks_like_em_in_its_first_moments(whole: PhantomBlock) -> None:
    shown = whole.image[whole.image.any(axis=(1, 2))].astype(float)
    clefts = whole.clefts[whole.image.any(axis=(1, 2))] > 0
    assert 110 < shown.mean() < 160
    assert 25 < shown.std() < 55
    assert shown[clefts].mean() < shown.mean() - 30
    assert 0.03 < (whole.segmentation == 0).mean() < 0.16


def test_a_volume_without_artefacts_has_neither_missing_nor_shifted_sections() -> None:
    config = PhantomConfig(shape=CONFIG.shape, seed=3, artefacts=False, artefact_period_sections=20)
    sections = [section_at(config, z) for z in range(200)]
    assert not any(section.is_missing or section.shift != (0, 0) for section in sections)


def test_a_period_of_sections_holds_at_most_one_missing_and_one_shifted() -> None:
    config = PhantomConfig(seed=1)
    for start in range(0, 640, 64):
        sections = [section_at(config, z) for z in range(start, start + 64)]
        assert sum(section.is_missing for section in sections) <= 1
        assert sum(section.shift != (0, 0) for section in sections) <= 1


@pytest.mark.parametrize("text", ["0:41,0:16,0:16", "-1:4,0:16,0:16"])
def test_a_box_outside_the_volume_is_refused(phantom: Phantom, text: str) -> None:
    with pytest.raises(BoxError, match="isn't inside the phantom"):
        phantom.render(Box.parse(text))


@pytest.mark.parametrize(
    "wrong", [{"shape": (0, 8, 8)}, {"seed": -1}, {"resolution_nm": (30.0, 0.0, 12.0)}, {"bouton_spacing_nm": 10.0}]
)
def test_an_impossible_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        PhantomConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "resolution_nm"),
    list(itertools.product([(1, 1, 1), (3, 50, 20)], [(30.0, 12.0, 12.0), (40.0, 4.0, 4.0), (20.0, 20.0, 20.0)])),
)
def test_tiny_volumes_and_other_resolutions_can_be_made(
    shape: tuple[int, int, int], resolution_nm: tuple[float, float, float]
) -> None:
    phantom = Phantom(PhantomConfig(shape=shape, resolution_nm=resolution_nm, artefacts=False))
    block = phantom.render(phantom.config.box)
    assert block.image.shape == shape
    assert {s.cleft_id for s in phantom.synapses()} == set(np.unique(block.clefts).tolist()) - {0}
