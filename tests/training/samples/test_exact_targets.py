"""What a perfect detector would predict of a phantom is decoded to the phantom's clefts."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from connectome.clefts.representations import Representation, signed_values
from connectome.distances import signed_tanh_distance
from connectome.networks.checkpoint import Method
from connectome.networks.inference import encoded
from connectome.partners.candidates import dilation_shape
from connectome.partners.nearest import direction_scores
from connectome.phantom import Phantom, PhantomBlock, PhantomConfig
from connectome.training.samples.detector_targets import proximities

CONFIG = PhantomConfig(shape=(40, 128, 144), seed=3)
NM = CONFIG.resolution_nm


@pytest.fixture(scope="module")
def phantom() -> PhantomBlock:
    return Phantom(CONFIG).render(CONFIG.box)


@pytest.fixture(scope="module")
def exact(phantom: PhantomBlock) -> dict[Method, NDArray[np.uint8]]:
    """The exact target of each representation, as a build stores predictions."""
    sides = {s.cleft_id: ({s.pre_segment_id}, {s.post_segment_id}) for s in Phantom(CONFIG).synapses()}
    mask = phantom.clefts > 0
    signed, unknown = proximities(phantom.clefts, phantom.segmentation, sides, NM)
    assert not unknown.any()
    values = {Method.STDT: signed_tanh_distance(mask, NM), Method.SIGNED_PROXIMITY: signed}
    stored = {
        method: encoded(method, 2 * torch.atanh(torch.from_numpy(value).clamp(-0.9999, 0.9999))).numpy()
        for method, value in values.items()
    }
    return stored | {Method.MASK: np.where(mask, np.uint8(255), np.uint8(0))}


def objects(prediction: NDArray[np.uint8], method: Method) -> NDArray[np.uint32]:
    representation = Representation(method, NM)
    foreground = representation.strength(prediction) >= round(255 * representation.default_threshold)
    return np.asarray(cc3d.connected_components(foreground, connectivity=26), np.uint32)


@pytest.mark.parametrize("method", [Method.MASK, Method.STDT])
def test_masks_and_distances_give_back_exactly_the_clefts(
    phantom: PhantomBlock, exact: dict[Method, NDArray[np.uint8]], method: Method
) -> None:
    found = objects(exact[method], method)
    assert np.array_equal(found > 0, phantom.clefts > 0)
    pairs = np.unique(np.stack([found[found > 0], phantom.clefts[found > 0].astype(np.uint32)]), axis=1)
    assert len(set(pairs[0])) == len(set(pairs[1])) == pairs.shape[1] >= 5


def test_each_cleft_is_met_by_one_object_of_a_signed_proximity(
    phantom: PhantomBlock, exact: dict[Method, NDArray[np.uint8]]
) -> None:
    found = objects(exact[Method.SIGNED_PROXIMITY], Method.SIGNED_PROXIMITY)
    near = (found > 0) & (phantom.clefts > 0)
    pairs, voxels = np.unique(
        np.stack([found[near], phantom.clefts[near].astype(np.uint32)]), axis=1, return_counts=True
    )
    for synapse in Phantom(CONFIG).synapses():
        shares = voxels[pairs[1] == synapse.cleft_id] / synapse.size_voxels
        assert shares.max() > 0.5
    assert len(set(pairs[0])) == pairs.shape[1], "an object that joins two clefts"


def test_the_signs_beside_each_cleft_tell_its_direction(
    phantom: PhantomBlock, exact: dict[Method, NDArray[np.uint8]]
) -> None:
    values = signed_values(exact[Method.SIGNED_PROXIMITY], CONFIG.box, CONFIG.box)
    found = objects(exact[Method.SIGNED_PROXIMITY], Method.SIGNED_PROXIMITY)
    for synapse in Phantom(CONFIG).synapses():
        here = found[phantom.clefts == synapse.cleft_id]
        near = binary_dilation(found == np.bincount(here[here > 0]).argmax(), dilation_shape(48, NM))
        pre, post = (phantom.segmentation == s for s in (synapse.pre_segment_id, synapse.post_segment_id))
        slots = np.where(pre, 0, np.where(post, 1, -1))
        scores = direction_scores(values, near, slots, 2)
        assert scores[0] > 0.1 and scores[1] < -0.1
