"""The presets of the phantom: the cortex one stays as it is to the last bit."""

from __future__ import annotations

import hashlib

import numpy as np

from connectome.phantom import Phantom, PhantomConfig

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
