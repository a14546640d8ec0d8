"""Samples whose answer is a distance: STDT and signed proximity.

A distance at a patch's border depends on clefts beyond it: labels are read wider by the reach of the transforms, the
target is computed there, and only then cut, turned and misaligned together with the image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.distances import NEAR, reach_voxels, signed_proximity, signed_tanh_distance
from connectome.geometry import Box, NmTriple
from connectome.training.data.dataset import Dataset
from connectome.training.samples.augment import SampleShape
from connectome.training.samples.batches import Sample
from connectome.training.samples.places import detector_box, is_cleft, known, one_of
from connectome.training.samples.voxel_samples import augmented, ended

Sides = dict[int, tuple[set[int], set[int]]]


def stdt_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for a detector of the signed tanh distance."""
    box = detector_box(data, shape, generator)
    labels = data.read(data.clefts, _wide(data, box))
    own = _own(data, box)
    targets = np.ascontiguousarray(signed_tanh_distance(is_cleft(labels), data.resolution_nm)[own])
    return _sample(data, box, targets, known(data, box, labels[own]), (shape, generator))


def signed_proximity_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for a detector of signed proximity; near a cleft without annotated partners the answer isn't known."""
    box = detector_box(data, shape, generator)
    wide = _wide(data, box)
    labels, segments = data.read(data.clefts, wide), data.read(data.segmentation, wide)
    own = _own(data, box)
    targets, unknown = proximities(labels, segments, data.sides, data.resolution_nm)
    return _sample(data, box, targets[own], known(data, box, labels[own]) & ~unknown[own], (shape, generator))


def proximities(
    labels: NDArray[Any], segments: NDArray[Any], sides: Sides, resolution_nm: NmTriple
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The signed proximity of all clefts of a box; where several are near, the nearest one's.

    Args:
        labels: integers (z, y, x), cleft ids.
        segments: integers (z, y, x), segment ids of the same voxels.
        sides: the presynaptic and the postsynaptic segments of each cleft, by its id.
        resolution_nm: nm of a voxel (z, y, x).

    Returns:
        float32 (z, y, x) in [-1, 1]; bool (z, y, x), where a cleft without annotated partners is near.
    """
    out, unknown = np.zeros(labels.shape, np.float32), np.zeros(labels.shape, bool)
    where = np.argwhere(is_cleft(labels))
    ids = labels[tuple(where.T)]
    reach = reach_voxels(resolution_nm)
    for cleft_id in np.unique(ids):
        voxels = where[ids == cleft_id]
        low, high = np.maximum(voxels.min(0) - reach, 0), voxels.max(0) + 1 + reach
        around = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        cleft, nearby = labels[around] == cleft_id, segments[around]
        if int(cleft_id) not in sides:
            everywhere = np.ones(cleft.shape, bool)
            unknown[around] |= cleft | (signed_proximity(cleft, everywhere, ~everywhere, resolution_nm) >= NEAR)
            continue
        pre, post = (one_of(nearby, side) for side in sides[int(cleft_id)])
        value = signed_proximity(cleft, pre, post, resolution_nm)
        out[around] = np.where(abs(value) > abs(out[around]), value, out[around])
    return out, unknown


def _sample(
    data: Dataset,
    box: Box,
    targets: NDArray[np.float32],
    weights: NDArray[np.bool_],
    how: tuple[SampleShape, np.random.Generator],
) -> Sample:
    image = data.read(data.image, box)
    grey, (target, weight) = augmented(image, [targets, weights.astype(np.float32)], *how)
    grey, weight = ended(grey, weight, *how)
    return Sample(inputs=grey[None], targets=target[None], weights=weight)


def _wide(data: Dataset, box: Box) -> Box:
    return box.grow(reach_voxels(data.resolution_nm))


def _own(data: Dataset, box: Box) -> tuple[slice, ...]:
    """Where `box` lies in the wide array around it."""
    return Box.of_shape(box.shape, reach_voxels(data.resolution_nm)).slices()
