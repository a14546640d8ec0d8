"""Augmentation: what a microscope and a camera do to the same tissue. All arrays are (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from connectome.geometry import Triple

MARGIN = 16
"""Voxels that samples are read wider on each in-plane side, to give misaligned sections something to show."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How strongly to augment; probabilities are per sample.

    Attributes:
        brightness, contrast: ranges of a shift and of a relative change, on grey values in [0, 1].
        section_jitter: the same per section, as a share of the sample's.
        noise: largest deviation of Gaussian noise.
        misaligned, missing, blurred: chances that sections are moved, blanked, blurred.
    """

    brightness: float = 0.12
    contrast: float = 0.3
    section_jitter: float = 0.3
    noise: float = 0.06
    misaligned: float = 0.25
    missing: float = 0.2
    blurred: float = 0.2


def turn(arrays: list[NDArray[Any]], generator: np.random.Generator) -> list[NDArray[Any]]:
    """Flip along each axis and (squares only) swap y and x, each with a chance of one half; the same for all arrays."""
    flips = tuple(axis for axis in range(3) if generator.random() < 0.5)
    swap = generator.random() < 0.5 and arrays[0].shape[1] == arrays[0].shape[2]
    turned = [np.flip(array, flips) for array in arrays]
    return [array.transpose(0, 2, 1) for array in turned] if swap else turned


def section_shifts(depth: int, chance: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """In-plane shifts (depth, 2) of a misalignment: of one section (slip) or of all from one on (translation)."""
    shifts = np.zeros((depth, 2), np.int64)
    if depth > 1 and generator.random() < chance:
        section = int(generator.integers(1, depth))
        by = generator.integers(-MARGIN // 2, MARGIN // 2 + 1, 2)
        shifts[section : section + 1 if generator.random() < 0.5 else depth] = by
    return shifts


def crop(array: NDArray[Any], shape: Triple, shifts: NDArray[np.int64]) -> NDArray[Any]:
    """The middle of an array that is MARGIN wider in-plane than `shape`, each section moved by its shift."""
    out = np.empty(shape, array.dtype)
    for z in range(shape[0]):
        y, x = MARGIN + shifts[z]
        out[z] = array[z, y : y + shape[1], x : x + shape[2]]
    return out


def photograph(image: NDArray[np.float32], how: Augmentation, generator: np.random.Generator) -> NDArray[np.float32]:
    """Change brightness, contrast and sharpness of an image with values in [0, 1]; sections may go missing."""
    depth = image.shape[0]
    image = image ** np.float32(np.exp(generator.uniform(-0.25, 0.25)))
    gain = 1 + how.contrast * (generator.uniform(-1, 1) + how.section_jitter * generator.uniform(-1, 1, (depth, 1, 1)))
    shift = how.brightness * (generator.uniform(-1, 1) + how.section_jitter * generator.uniform(-1, 1, (depth, 1, 1)))
    image = ((image - 0.5) * gain + 0.5 + shift).astype(np.float32)
    if generator.random() < how.blurred:
        for z in generator.integers(0, depth, generator.integers(1, 6)):
            image[z] = gaussian_filter(image[z], generator.uniform(0.5, 2.0))
    if generator.random() < 0.5:
        deviation = generator.uniform(0, how.noise)
        image += np.float32(deviation) * generator.standard_normal(image.shape, dtype=np.float32)
    image = np.clip(image, 0, 1)
    if generator.random() < how.missing:
        image[generator.integers(0, depth, generator.integers(1, 3))] = generator.choice([0.0, 0.0, 1.0])
    return image
