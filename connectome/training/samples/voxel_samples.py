"""Training samples: what the networks see and what they should answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from connectome.formats.decoys import Decoy
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box, Triple, triple
from connectome.networks.checkpoint import Normalisation
from connectome.training.data.annotated_cleft import AnnotatedCleft
from connectome.training.data.border import end_volume
from connectome.training.data.dataset import Dataset
from connectome.training.samples.augment import MARGIN, Augmentation, turn
from connectome.training.samples.deform import Deformation
from connectome.training.samples.photograph import photograph

DARK_CHOICES = 12
DARK_SHAPE: Triple = (1, 20, 20)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One patch.

    Attributes:
        inputs: float32 (channels, z, y, x), normalised image and, for an assigner, the cleft and its candidates.
        targets: float32 (channels, z, y, x); one value for a pruner.
        weights: float32 (z, y, x), 0 where the answer isn't known.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SampleShape:
    """What samples look like.

    Attributes:
        patch_shape: (z, y, x) in voxels.
        normalisation: of the image.
        augmentation: None: not at all.
        decoy_share: of the samples that show a decoy, of sources that have some.
    """

    patch_shape: Triple
    normalisation: Normalisation
    augmentation: Augmentation | None
    decoy_share: float = 0.0


def detector_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for a detector of masks."""
    box = detector_box(data, shape, generator)
    image, labels = data.read(data.image, box), data.read(data.clefts, box)
    weights = known(data, box, labels).astype(np.float32)
    grey, arrays = augmented(image, [is_cleft(labels).astype(np.float32), weights], shape, generator)
    grey, weights = ended(grey, arrays[1], shape, generator)
    return Sample(inputs=grey[None], targets=arrays[0][None], weights=weights)


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
    return _within(patch_box(centre, shape.patch_shape), data.box).grow((0, MARGIN, MARGIN))


def drawn_decoy(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Decoy | None:
    """One of the decoys of a source in `decoy_share` of the cases; None in the others."""
    if shape.decoy_share == 0 or not data.decoys or generator.random() >= shape.decoy_share:
        return None
    return data.decoys[generator.integers(len(data.decoys))]


def _near(place: Iterable[float], patch_shape: Triple, generator: np.random.Generator) -> Triple:
    """A voxel (z, y, x) that has `place` in the middle two thirds of the patch around it."""
    reach = [n // 3 for n in patch_shape]
    return triple(c + generator.integers(-r, r + 1) for c, r in zip(place, reach, strict=True))


def is_cleft(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) belong to an annotated cleft."""
    return (labels != 0) & (labels < min(BACKGROUND, IGNORE))


def known(data: Dataset, box: Box, labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) of `box` may be seen and have an answer; `labels`: its cleft labels."""
    return data.read_mask(box) & (labels != IGNORE)


def one_of(segments: NDArray[Any], ids: Iterable[int]) -> NDArray[np.bool_]:
    """Which voxels (z, y, x) belong to any of some segments."""
    mask = np.zeros(segments.shape, bool)
    for segment_id in ids:
        mask |= segments == segment_id
    return mask


def assigner_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for the AVAN, centred on a random voxel of a random cleft (Turner et al., section 2.1), or on a decoy."""
    decoy = drawn_decoy(data, shape, generator)
    if decoy is not None:
        return _decoy_patch(data, decoy, shape, generator)
    cleft = random_cleft(data, generator)
    centre = random_cleft_voxel(data, cleft, shape.patch_shape, generator)
    return assigner_patch(data, cleft, centre, shape, generator)


def assigner_patch(
    data: Dataset, cleft: AnnotatedCleft, centre: Triple, shape: SampleShape, generator: np.random.Generator
) -> Sample:
    """The AVAN's view of one cleft around a voxel: image and mask in, its partners' masks out.

    Where the cleft has several partners in a role, their union is that role's mask.
    """
    box = patch_box(centre, shape.patch_shape).grow((0, MARGIN, MARGIN))
    image, segments = data.read(data.image, box), data.read(data.segmentation, box)
    mask = (data.read(data.clefts, box) == cleft.cleft_id).astype(np.float32)
    if shape.augmentation is not None:
        mask = roughen(mask, generator)
    sides = cleft.pre_segment_ids, cleft.post_segment_ids
    pre, post = (one_of(segments, side).astype(np.float32) for side in sides)
    weights = (segments != 0).astype(np.float32)
    grey, (mask, pre, post, weights) = augmented(image, [mask, pre, post, weights], shape, generator)
    return Sample(inputs=np.stack([grey, mask]), targets=np.stack([pre, post]), weights=weights)


def _decoy_patch(data: Dataset, decoy: Decoy, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """The AVAN's view of a decoy: image and mask in, nothing out, for it has no partners."""
    box = patch_box(decoy.centre_voxel, shape.patch_shape).grow((0, MARGIN, MARGIN))
    mask = (data.read(data.decoy_labels, box) == decoy.decoy_id).astype(np.float32)
    weights = (data.read(data.segmentation, box) != 0).astype(np.float32)
    grey, (mask, weights) = augmented(data.read(data.image, box), [mask, weights], shape, generator)
    return Sample(inputs=np.stack([grey, mask]), targets=np.zeros((2, *grey.shape), np.float32), weights=weights)


def random_cleft(data: Dataset, generator: np.random.Generator) -> AnnotatedCleft:
    """One of the clefts in the box, each as likely as any other however many partners it has."""
    return data.annotated_clefts[generator.integers(len(data.annotated_clefts))]


def augmented(
    image: NDArray[Any], others: list[NDArray[Any]], shape: SampleShape, generator: np.random.Generator
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """Crop the in-plane margin off all arrays; with augmentation, turn and deform them and photograph the image.

    The image is interpolated linearly; the others take the nearest voxel's value.
    """
    grey = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    deformation = Deformation.none(shape.patch_shape)
    if shape.augmentation is not None:
        grey, *others = turn([grey, *others], generator)
        deformation = Deformation.draw(shape.patch_shape, shape.augmentation, generator)
    grey, others = deformation.of_image(grey), [deformation.of_labels(array) for array in others]
    if shape.augmentation is not None:
        grey = photograph(grey, shape.augmentation, generator)
    how = shape.normalisation
    return ((grey - how.mean) / how.deviation).astype(np.float32), others


def ended(
    grey: NDArray[np.float32], weights: NDArray[np.float32], shape: SampleShape, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A detector's image and weights, now and then with the end of the volume in them."""
    return end_volume(grey, weights, shape.augmentation.ended if shape.augmentation else 0.0, generator)


def patch_box(centre: Triple, shape: Triple) -> Box:
    """A box of `shape` around a voxel."""
    return Box.of_shape(shape, triple(c - n // 2 for c, n in zip(centre, shape, strict=True)))


def _within(box: Box, limit: Box) -> Box:
    """The box moved inside `limit` on the axes where it fits."""
    start = [
        min(max(a, low), high - n) if high - low >= n else a
        for a, n, low, high in zip(box.start, box.shape, limit.start, limit.stop, strict=True)
    ]
    return Box.of_shape(box.shape, triple(start))


def _anywhere(data: Dataset, generator: np.random.Generator) -> Triple:
    return triple(generator.integers(data.box.start, data.box.stop))


def _dark_place(data: Dataset, generator: np.random.Generator) -> Triple:
    """The darkest of some random places in the box; missing sections, which are black all over, don't count."""
    places = [_anywhere(data, generator) for _ in range(DARK_CHOICES)]
    means = [data.read(data.image, patch_box(place, DARK_SHAPE)).mean() for place in places]
    return places[int(np.argmin([mean if mean > 0.02 * 255 else np.inf for mean in means]))]


def random_cleft_voxel(
    data: Dataset, cleft: AnnotatedCleft, patch_shape: Triple, generator: np.random.Generator
) -> Triple:
    """A random voxel of a cleft; its centroid where none of its voxels are in reach."""
    centroid = triple(cleft.centroid_voxel)
    box = patch_box(centroid, triple(2 * n for n in patch_shape))
    voxels = np.argwhere(data.read(data.clefts, box) == cleft.cleft_id)
    if len(voxels) == 0:
        return centroid
    return triple(voxels[generator.integers(len(voxels))] + np.array(box.start))


def roughen(mask: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Make an annotated mask look like a predicted one: widen it in-plane, or lose some of its sections."""
    choice = generator.random()
    if choice < 0.4:
        cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], bool)
        return binary_dilation(mask > 0, cross, iterations=int(generator.integers(1, 4))).astype(np.float32)
    if choice < 0.6:
        sections = np.flatnonzero(mask.any((1, 2)))
        lost = sections[generator.random(len(sections)) < 0.3]
        if len(lost) < len(sections):
            mask = mask.copy()
            mask[lost] = 0
    return mask
