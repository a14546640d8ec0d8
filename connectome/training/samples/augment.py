"""Augmentation: what a microscope, a camera and an aligner do to the same tissue. All arrays are (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ConfigError
from connectome.geometry import Triple
from connectome.networks.checkpoint import Normalisation

MARGIN = 32
"""Voxels that samples are read wider on each in-plane side: what moved and warped sections show comes from there."""

LEAST_SHARE = 0.4
"""The least share of a patch that is left along the axis that ends."""
CHANCES = ("noisy", "misaligned", "missing", "blurred", "defocused", "warped", "ended", "thinned", "resampled")
RANGES: dict[str, tuple[float, float]] = {
    "shift": (0, MARGIN),
    "contrast": (0, 1),
    "scale": (0, 0.5),
    "stretch": (0, 0.5),
    "spacing": (1, 4),
    "finest": (0.1, 10),
    "coarsest": (0.1, 10),
}
"""Of strengths that are neither chances, from 0 to 1, nor any number of at least 0."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The strengths of augmentations; a strength of 0 turns an augmentation off.

    Flips and turns are always made. Turner et al. (2020) and Lee et al. (2017) augment by turns, grey values,
    misalignment of up to 17 voxels, up to 5 missing and 5 blurred sections, and warping.

    Attributes:
        gamma: largest |log| of the exponent that grey values in [0, 1] are raised to.
        brightness, contrast: ranges of a shift and of a relative change, on grey values in [0, 1].
        section_jitter: the same per section, as a share of the sample's.
        noise: largest deviation of Gaussian noise, which differs by section.
        grain: largest deviation of the Gaussian that noise is smoothed by, in voxels: noise of a camera is coarse where
            an image was enlarged.
        noisy: chance that a sample has noise.
        misaligned: chance that one section (slip) or all from one on (translation) are moved.
        shift: how far at most, in voxels along each axis.
        missing, blurred: chances that sections are blanked, wholly or in part, or blurred.
        sections: how many sections at most are blanked or blurred; never more than a third of the sample is blanked.
        defocused: chance that all sections are a little out of focus.
        warped: chance that the tissue is deformed in-plane, the same in all sections.
        rotation_degrees, scale: largest turn and relative change of size of a warped sample.
        stretch: largest relative change of its size along one direction alone, as a knife presses sections.
        elastic: largest standard deviation of its elastic displacements, in voxels.
        ended: chance that a detector's sample has the end of the volume in it (see `end_volume`).
        thinned: chance that sections of the source are left out, so that those that are left lie further apart.
        spacing: how far apart they come to lie at most, in distances of the source's sections.
        resampled: chance that the image's pixels were of another size before they were brought to the model's.
        finest, coarsest: the smallest and largest of these pixels, in the model's.
    """

    gamma: float = 0.25
    brightness: float = 0.12
    contrast: float = 0.3
    section_jitter: float = 0.3
    noise: float = 0.06
    grain: float = 0.8
    noisy: float = 0.5
    misaligned: float = 0.25
    shift: int = 17
    missing: float = 0.2
    blurred: float = 0.2
    sections: int = 5
    defocused: float = 0.2
    warped: float = 0.5
    rotation_degrees: float = 8.0
    scale: float = 0.08
    stretch: float = 0.0
    elastic: float = 3.0
    ended: float = 0.15
    thinned: float = 0.0
    spacing: float = 2.0
    resampled: float = 0.0
    finest: float = 0.5
    coarsest: float = 1.67

    def __post_init__(self) -> None:
        """Check the strengths.

        Raises:
            ConfigError: a chance outside [0, 1], a strength out of its range or no number.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = RANGES.get(field.name, (0, 1 if field.name in CHANCES else np.inf))
            if not low <= value <= high or value == np.inf:
                range_ = f"from {low} to {high}" if high < np.inf else f"of at least {low}"
                raise ConfigError(f"the augmentation's {field.name} is {value}: it must be a number {range_}")


@dataclass(frozen=True, kw_only=True)
class SampleShape:
    """The form of samples.

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


def turn(arrays: list[NDArray[Any]], generator: np.random.Generator) -> list[NDArray[Any]]:
    """Flip along each axis and (squares only) swap y and x, each with a chance of one half; the same for all arrays."""
    flips = tuple(axis for axis in range(3) if generator.random() < 0.5)
    swap = generator.random() < 0.5 and arrays[0].shape[1] == arrays[0].shape[2]
    turned = [np.flip(array, flips) for array in arrays]
    return [array.transpose(0, 2, 1) for array in turned] if swap else turned


def end_volume(
    grey: NDArray[np.float32], weights: NDArray[Any], chance: float, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Now and then let the volume end within a patch, so that a detector learns clefts that its border cuts.

    Args:
        grey: float32 (z, y, x), the image.
        weights: (z, y, x), where the answer is known; it isn't beyond the border.
        chance: that the volume ends here.
        generator: of random numbers; unused if there is no chance.

    Returns:
        Both, with the mirror image and zeros beyond a plane across one axis, on either side; new arrays if so.
    """
    if chance == 0 or generator.random() >= chance:
        return grey, weights
    axis = int(generator.choice(3, p=(0.5, 0.25, 0.25)))
    side = grey.shape[axis]
    kept = max(int(side * generator.uniform(LEAST_SHARE, 1)), 1)
    inside = slice(0, kept) if generator.random() < 0.5 else slice(side - kept, side)
    pads = [(0, 0)] * 3
    pads[axis] = (inside.start, side - inside.stop)
    cut = (slice(None),) * axis + (inside,)
    return np.pad(grey[cut], pads, mode="symmetric"), np.pad(weights[cut], pads)
