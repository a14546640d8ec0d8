"""The presets of the phantom: cortex stays as it is to the last bit, an insect's truth is as exact."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from connectome.geometry import Box
from connectome.phantom import Phantom, PhantomBlock, PhantomConfig, PhantomPreset
from connectome.records import ReferenceSynapse

CORTEX = PhantomConfig(shape=(32, 160, 160), seed=3)
CORTEX_IMAGE = "03068346cdc514eb"
CORTEX_SEGMENTATION = "7a1e076c223cf231"
CORTEX_CLEFTS = "29059b74c4e78388"
CORTEX_SYNAPSES = [(2, 17, 9, 1051), (5, 31, 4, 543), (9, 37, 4, 373), (10, 39, 10, 200), (15, 47, 9, 909)]


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_the_default_phantom_keeps_its_voxels_and_its_truth() -> None:
    phantom = Phantom(CORTEX)
    block = phantom.render(CORTEX.box)
    assert digest(block.segmentation) == CORTEX_SEGMENTATION
    assert digest(block.clefts) == CORTEX_CLEFTS
    assert digest(block.image) == CORTEX_IMAGE
    found = [(s.cleft_id, s.pre_segment_id, s.post_segment_id, s.size_voxels) for s in phantom.synapses()]
    assert found == CORTEX_SYNAPSES


INSECT = PhantomConfig(
    shape=(26, 192, 192), seed=6, preset=PhantomPreset.INSECT, bouton_spacing_nm=1500.0, artefact_period_sections=20
)
EVERYWHERE = np.ones((3, 3, 3), bool)


@pytest.fixture(scope="module")
def insect() -> Phantom:
    return Phantom(INSECT)


@pytest.fixture(scope="module")
def block(insect: Phantom) -> PhantomBlock:
    return insect.render(INSECT.box)


@pytest.fixture(scope="module")
def clefts(insect: Phantom) -> dict[int, list[ReferenceSynapse]]:
    grouped: dict[int, list[ReferenceSynapse]] = {}
    for synapse in insect.synapses():
        grouped.setdefault(synapse.cleft_id, []).append(synapse)
    return grouped


def test_an_insect_box_made_alone_equals_the_same_box_of_the_whole(block: PhantomBlock) -> None:
    box = Box.parse("3:21,41:130,37:139")
    alone = Phantom(INSECT).render(box)
    for name in ("image", "segmentation", "clefts"):
        assert np.array_equal(getattr(alone, name), getattr(block, name)[box.slices()])


def test_an_insect_cleft_is_one_object_with_one_bouton_and_two_to_six_partners(
    block: PhantomBlock, clefts: dict[int, list[ReferenceSynapse]]
) -> None:
    assert sorted(clefts) == sorted(set(np.unique(block.clefts).tolist()) - {0})
    assert len(clefts) >= 8
    assert len({len(synapses) for synapses in clefts.values()}) >= 3
    for cleft_id, synapses in clefts.items():
        mask = block.clefts == cleft_id
        assert ndimage.label(mask, EVERYWHERE)[1] == 1
        assert {int(mask.sum())} == {synapse.size_voxels for synapse in synapses}
        assert len({synapse.pre_segment_id for synapse in synapses}) == 1
        assert 2 <= len({synapse.post_segment_id for synapse in synapses}) == len(synapses) <= 6
        assert synapses[0].pre_segment_id not in {synapse.post_segment_id for synapse in synapses}


def test_no_two_insect_clefts_touch(block: PhantomBlock, clefts: dict[int, list[ReferenceSynapse]]) -> None:
    assert ndimage.label(block.clefts > 0, EVERYWHERE)[1] == len(clefts)


def test_each_partner_of_an_insect_cleft_touches_it_widely(
    block: PhantomBlock, clefts: dict[int, list[ReferenceSynapse]]
) -> None:
    for cleft_id, synapses in clefts.items():
        near = ndimage.binary_dilation(block.clefts == cleft_id, np.ones((1, 5, 5), bool))
        beside = dict(zip(*np.unique(block.segmentation[near], return_counts=True), strict=True))
        for segment in {synapses[0].pre_segment_id, *(synapse.post_segment_id for synapse in synapses)}:
            assert beside.get(segment, 0) >= 30


def test_the_points_of_insect_synapses_lie_in_their_partners(insect: Phantom, block: PhantomBlock) -> None:
    for located in insect.located_synapses():
        ends = (located.pre_nm, located.reference.pre_segment_id), (located.post_nm, located.reference.post_segment_id)
        for point, segment in ends:
            voxel = tuple(int(p // r) for p, r in zip(point, INSECT.resolution_nm, strict=True))
            assert block.segmentation[voxel] == segment


def test_dark_bars_stand_in_the_boutons_before_their_clefts(clefts: dict[int, list[ReferenceSynapse]]) -> None:
    plain = Phantom(replace(INSECT, noise=0.0, section_drift=0.0)).render(INSECT.box)
    shown = plain.image.any(axis=(1, 2))
    near, far = [], []
    for cleft_id, synapses in clefts.items():
        for z in np.flatnonzero((plain.clefts == cleft_id).any(axis=(1, 2)) & shown):
            away = ndimage.distance_transform_edt(plain.clefts[z] != cleft_id)
            own = ndimage.binary_erosion(plain.segmentation[z] == synapses[0].pre_segment_id, np.ones((3, 3), bool))
            near.append(plain.image[z][own & (away > 1) & (away <= 5)])
            far.append(plain.image[z][own & (away > 12)])
    dark_near, dark_far = (float((np.concatenate(values) < 80).mean()) for values in (near, far))
    assert dark_near > 0.1
    assert dark_near > 1.8 * dark_far


def test_insect_neurites_are_thinner_than_cortical_ones(block: PhantomBlock) -> None:
    def profiles(labels: np.ndarray) -> float:
        return float(np.mean([len(np.unique(section)) for section in labels]) / labels[0].size)

    cortex = Phantom(CORTEX).render(Box((8, 0, 0), (12, 160, 160)))
    assert profiles(block.segmentation) > 1.5 * profiles(cortex.segmentation)


@pytest.mark.parametrize("preset", list(PhantomPreset))
def test_sections_may_be_thin(preset: PhantomPreset) -> None:
    config = PhantomConfig(
        shape=(24, 80, 80), resolution_nm=(8.0, 8.0, 8.0), bouton_spacing_nm=1000.0, preset=preset, seed=1
    )
    phantom = Phantom(config)
    block = phantom.render(Box((6, 8, 8), (18, 72, 72)))
    assert np.array_equal(block.image[:5], phantom.render(Box((6, 8, 8), (11, 72, 72))).image)


@pytest.mark.parametrize("preset", list(PhantomPreset))
def test_a_single_voxel_of_each_preset_can_be_made(preset: PhantomPreset) -> None:
    phantom = Phantom(PhantomConfig(shape=(1, 1, 1), preset=preset))
    assert phantom.render(phantom.config.box).image.shape == (1, 1, 1)
    assert phantom.synapses() == []
