"""Places where samples are taken: clefts, decoys, dark places, anywhere; and what is known of their voxels."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.formats.decoys import Decoy
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box, Triple, Vector, triple
from connectome.training.data.annotated_cleft import AnnotatedCleft
from connectome.training.data.dataset import Dataset
from connectome.training.samples.augment import MARGIN, SampleShape

CLEFTS_TRIED = 20
"""Of those whose sections were left out there are no voxels: few among many."""
DARK_CHOICES = 12
DARK_SHAPE: Triple = (1, 20, 20)


def detector_box(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Box:
    """Where to look for a detector's sample: a patch and MARGIN around it.

    Half of the patches have a cleft near their middle. Of the others two in five lie anywhere in the box, the rest
    where it is dark: myelin, mitochondria and membranes cut along are what is taken for a cleft. Every representation
    is shown the same places, so that they differ by target and loss alone; this takes the place of the rejection of
    patches without a cleft (Heinrich et al. 2018), which would hide the dark ones. Decoys come before all these.
    """
    decoy = drawn_decoy(data, shape, generator)
    kind = generator.random()
    if decoy is not None:
        centre = _near(decoy.centre_voxel, shape.patch_shape, generator)
    elif kind < 0.5:
        centre = _near(random_cleft(data, generator).centroid_voxel, shape.patch_shape, generator)
    elif kind < 0.7:
        centre = _anywhere(data, generator)
    else:
        centre = _dark_place(data, generator)
    return _within(Box.around(centre, shape.patch_shape), data.box).grow((0, MARGIN, MARGIN))


def drawn_decoy(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Decoy | None:
    """One of the decoys of a source in `decoy_share` of the cases; None in the others."""
    if shape.decoy_share == 0 or not data.decoys or generator.random() >= shape.decoy_share:
        return None
    return data.decoys[generator.integers(len(data.decoys))]


def random_cleft(data: Dataset, generator: np.random.Generator) -> AnnotatedCleft:
    """One of the clefts in the box, each as likely as any other however many partners it has."""
    return data.annotated_clefts[generator.integers(len(data.annotated_clefts))]


def random_cleft_voxel(
    data: Dataset, patch_shape: Triple, generator: np.random.Generator
) -> tuple[AnnotatedCleft, Triple]:
    """A random cleft and a random voxel (z, y, x) of it; its centroid where no cleft is found that has voxels."""
    for _ in range(CLEFTS_TRIED):
        cleft = random_cleft(data, generator)
        box = Box.around(triple(cleft.centroid_voxel), Vector(patch_shape) * 2)
        voxels = np.argwhere(data.read(data.clefts, box) == cleft.cleft_id)
        if len(voxels) > 0:
            return cleft, triple(voxels[generator.integers(len(voxels))] + np.array(box.start))
    return cleft, triple(cleft.centroid_voxel)


def _near(place: Iterable[float], patch_shape: Triple, generator: np.random.Generator) -> Triple:
    """A voxel (z, y, x) that has `place` in the middle two thirds of the patch around it."""
    reach = [n // 3 for n in patch_shape]
    return triple(c + generator.integers(-r, r + 1) for c, r in zip(place, reach, strict=True))


def _within(box: Box, limit: Box) -> Box:
    """The box moved inside `limit` on the axes where it fits."""
    moved = box.start.maximum(limit.start).minimum(limit.stop - box.shape)
    fits = map(operator.le, box.shape, limit.shape)
    return Box.of_shape(box.shape, triple(a if fit else b for a, b, fit in zip(moved, box.start, fits, strict=True)))


def _anywhere(data: Dataset, generator: np.random.Generator) -> Triple:
    return triple(generator.integers(data.box.start, data.box.stop))


def _dark_place(data: Dataset, generator: np.random.Generator) -> Triple:
    """The darkest of some random places in the box; missing sections, which are black all over, don't count."""
    places = [_anywhere(data, generator) for _ in range(DARK_CHOICES)]
    means = [data.read(data.image, Box.around(place, DARK_SHAPE)).mean() for place in places]
    return places[int(np.argmin([mean if mean > 0.02 * 255 else np.inf for mean in means]))]


def is_cleft(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) belong to an annotated cleft."""
    cleft: NDArray[np.bool_] = (labels != 0) & (labels < min(BACKGROUND, IGNORE))
    return cleft


def known(data: Dataset, box: Box, labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) of `box` may be seen and have an answer; `labels`: its cleft labels."""
    answered: NDArray[np.bool_] = labels != IGNORE
    return data.read_mask(box) & answered


def one_of(segments: NDArray[Any], ids: Iterable[int]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) belong to any of some segments."""
    mask = np.zeros(segments.shape, bool)
    for segment_id in ids:
        mask |= segments == segment_id
    return mask
