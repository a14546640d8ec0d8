"""Training samples for the pruners: a cleft, an ordered pair of segments, and whether they are its pre and post."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from connectome.distances import unsigned_proximity
from connectome.geometry import Box
from connectome.partners.assignment import AssignmentRules
from connectome.partners.candidates import dilation_shape, find_candidates
from connectome.training.data.dataset import Dataset
from connectome.training.samples.augment import MARGIN, SampleShape
from connectome.training.samples.batches import Sample
from connectome.training.samples.places import one_of, random_cleft_voxel
from connectome.training.samples.voxel_samples import augmented, roughen

Pair = tuple[int, int]
TRUE_SHARE, SWAPPED_SHARE = 0.4, 0.2
"""Shares of true pairs and of true pairs the wrong way round; the rest have another candidate in them."""
DETECTED_SHARE, WRONG_WAY_SHARE = 0.35, 0.1
"""Proximity as a detector gives it: how often, and how often its direction is wrong."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """What lies around a cleft, unaugmented, MARGIN wider in-plane than the patch, all (z, y, x).

    Attributes:
        image: uint8. segments: unsigned integers. mask: boolean, the cleft.
        true: the pairs of the cleft.
        pair: the pair under test.
    """

    image: NDArray[Any]
    segments: NDArray[Any]
    mask: NDArray[np.bool_]
    true: set[Pair]
    pair: Pair

    def has(self, segment: int) -> NDArray[np.float32]:
        """float32 (z, y, x), 1 in a segment."""
        inside: NDArray[np.bool_] = self.segments == segment
        return inside.astype(np.float32)


def mask_pruner_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """Image, cleft mask, first mask, second mask."""
    view = _draw_view(data, shape, generator)
    mask = view.mask.astype(np.float32)
    if shape.augmentation is not None:
        mask = roughen(mask, generator)
    return _sample(view, mask, shape, generator)


def proximity_pruner_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """Image, signed proximity, first mask, second mask.

    Most often the signed proximity takes the pair under test for the truth, so that it says where the cleft is and
    nothing about its direction. Now and then it is what a detector of signed proximity gives: smooth, of some strength,
    most often with the true direction.
    """
    view = _draw_view(data, shape, generator)
    mask = view.mask
    if shape.augmentation is not None:
        mask = roughen(mask.astype(np.float32), generator) > 0
    near = unsigned_proximity(mask, data.resolution_nm)
    if shape.augmentation is not None and generator.random() < DETECTED_SHARE:
        signed = _as_detected(near, view, generator)
    else:
        signed = near * (view.has(view.pair[0]) - view.has(view.pair[1]))
    return _sample(view, signed, shape, generator)


def _as_detected(near: NDArray[np.float32], view: _View, generator: np.random.Generator) -> NDArray[np.float32]:
    pre, post = ({pair[role] for pair in view.true} for role in range(2))
    sign = one_of(view.segments, pre).astype(np.float32) - one_of(view.segments, post)
    if generator.random() < WRONG_WAY_SHARE:
        sign = -sign
    blur = generator.uniform(0, 1.5)
    smooth = gaussian_filter(near * sign, (0, blur, blur)) * generator.uniform(0.5, 1)
    return np.asarray(smooth, np.float32)


def _sample(view: _View, cleft: NDArray[np.float32], shape: SampleShape, generator: np.random.Generator) -> Sample:
    masks = [cleft, *(view.has(segment) for segment in view.pair)]
    grey, arrays = augmented(view.image, masks, shape, generator)
    answer = np.full((1, 1, 1, 1), view.pair in view.true, np.float32)
    return Sample(inputs=np.stack([grey, *arrays]), targets=answer, weights=np.ones((1, 1, 1), np.float32))


def _draw_view(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> _View:
    """A random cleft around one of its voxels, and a pair of segments that touch it."""
    cleft, centre = random_cleft_voxel(data, shape.patch_shape, generator)
    true = set(cleft.pairs)
    box = Box.around(centre, shape.patch_shape).grow((0, MARGIN, MARGIN))
    segments = data.read(data.segmentation, box)
    mask = data.read(data.clefts, box) == cleft.cleft_id
    inside = (slice(None), slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    touching = find_candidates(
        segments[inside], mask[inside], dilation_shape(AssignmentRules().dilation_nm, data.resolution_nm)
    )
    present = {int(i) for i in np.unique(segments[inside])} - {0}
    pair = draw_pair(true, [int(i) for i in touching.segment_id], present, generator)
    return _View(image=data.read(data.image, box), segments=segments, mask=mask, true=true, pair=pair)


def draw_pair(true: set[Pair], touching: list[int], present: set[int], generator: np.random.Generator) -> Pair:
    """An ordered pair of different segments: true, the wrong way round, or with another candidate in it.

    Args:
        true: the cleft's pairs.
        touching: segments that touch the dilated cleft.
        present: segments in the patch; where no other one touches the cleft, they stand in.
        generator: of random numbers.
    """
    right = sorted(pair for pair in true if present.issuperset(pair)) or sorted(true)
    swapped = [(post, pre) for pre, post in right if (post, pre) not in true]
    known = true | set(swapped)
    partners = sorted({segment for pair in right for segment in pair})
    other = [pair for pair in permutations(touching, 2) if pair not in known]
    if not other:
        near = sorted(present - set(partners))
        other = [pair for a in partners for b in near for pair in ((a, b), (b, a)) if pair not in known]
    kind = generator.random()
    if kind < TRUE_SHARE:
        choices = right
    elif kind < TRUE_SHARE + SWAPPED_SHARE or not other:
        choices = swapped or other or right
    else:
        choices = other
    return choices[int(generator.integers(len(choices)))]
