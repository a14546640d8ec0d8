"""Training samples: what the networks see and what they should answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from connectome.formats.decoys import Decoy
from connectome.geometry import Box, Triple
from connectome.training.data.annotated_cleft import AnnotatedCleft
from connectome.training.data.dataset import Dataset
from connectome.training.samples.augment import MARGIN, SampleShape, end_volume, turn
from connectome.training.samples.batches import Sample
from connectome.training.samples.deform import Deformation
from connectome.training.samples.photograph import photograph
from connectome.training.samples.places import (
    detector_box,
    drawn_decoy,
    is_cleft,
    known,
    one_of,
    random_cleft_voxel,
)


def detector_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for a detector of masks."""
    box = detector_box(data, shape, generator)
    image, labels = data.read(data.image, box), data.read(data.clefts, box)
    weights = known(data, box, labels).astype(np.float32)
    grey, arrays = augmented(image, [is_cleft(labels).astype(np.float32), weights], shape, generator)
    grey, weights = ended(grey, arrays[1], shape, generator)
    return Sample(inputs=grey[None], targets=arrays[0][None], weights=weights)


def assigner_sample(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Sample:
    """A patch for the AVAN, centred on a random voxel of a random cleft (Turner et al., section 2.1), or on a decoy."""
    decoy = drawn_decoy(data, shape, generator)
    if decoy is not None:
        return _decoy_patch(data, decoy, shape, generator)
    cleft, centre = random_cleft_voxel(data, shape.patch_shape, generator)
    return assigner_patch(data, cleft, centre, shape, generator)


def assigner_patch(
    data: Dataset, cleft: AnnotatedCleft, centre: Triple, shape: SampleShape, generator: np.random.Generator
) -> Sample:
    """The AVAN's view of one cleft around a voxel: image and mask in, its partners' masks out.

    Where the cleft has several partners in a role, their union is that role's mask.
    """
    box = Box.around(centre, shape.patch_shape).grow((0, MARGIN, MARGIN))
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
    box = Box.around(decoy.centre_voxel, shape.patch_shape).grow((0, MARGIN, MARGIN))
    mask = (data.read(data.decoy_labels, box) == decoy.decoy_id).astype(np.float32)
    weights = (data.read(data.segmentation, box) != 0).astype(np.float32)
    grey, (mask, weights) = augmented(data.read(data.image, box), [mask, weights], shape, generator)
    return Sample(inputs=np.stack([grey, mask]), targets=np.zeros((2, *grey.shape), np.float32), weights=weights)


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
