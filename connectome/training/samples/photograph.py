"""Grey values as microscopes and cameras change them. Images are float32 (z, y, x), grey values in [0, 1]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from connectome.training.samples.augment import Augmentation
from connectome.volumes.grid_map import AxisMap

BLANKS = (0.0, 0.0, 0.0, 1.0)
"""Grey values of missing sections: mostly black."""


def photograph(image: NDArray[np.float32], how: Augmentation, generator: np.random.Generator) -> NDArray[np.float32]:
    """Change grey values and sharpness, add noise, change pixels; sections may be blurred and go missing."""
    image = _grey_values(image, how, generator)
    if generator.random() < how.defocused:
        image = gaussian_filter(image, (0, *[generator.uniform(0.3, 0.9)] * 2))
    if generator.random() < how.blurred and how.sections > 0:
        for z in generator.integers(0, len(image), generator.integers(1, how.sections + 1)):
            image[z] = gaussian_filter(image[z], generator.uniform(0.5, 2.0))
    if generator.random() < how.noisy:
        image += _noise(image.shape, how, generator)
    if how.resampled > 0 and generator.random() < how.resampled:
        image = through_pixels(
            image, np.exp(generator.uniform(*np.log((how.finest, how.coarsest)))), generator.random()
        )
    image = np.clip(image, 0, 1)
    if generator.random() < how.missing:
        _blank(image, how, generator)
    return image


def through_pixels(image: NDArray[np.float32], size: float, phase: float) -> NDArray[np.float32]:
    """The image as if its pixels had been of another size before they were brought to the model's, as a build does it.

    Args:
        image: float32 (z, y, x).
        size: of a pixel that the image came in, in the image's; both sides alike.
        phase: where such pixels begin, from 0 to below 1 of them.
    """
    along_y, along_x = (_through(count, size, phase) for count in image.shape[1:])
    return np.asarray(along_y @ image @ along_x.T, np.float32)


def _through(count: int, size: float, phase: float) -> NDArray[np.float32]:
    """What each of `count` pixels in a row is made of after a way through pixels of another size: (count, count).

    A pixel of a microscope is the mean over its area; the way back is that of a build.
    """
    other = math.ceil(count / size + phase)
    ends = (np.arange(other + 1) - phase) * size
    low, high = ends[:-1, None], ends[1:, None]
    own = np.arange(count)
    shares = np.maximum(np.minimum(high, own + 1) - np.maximum(low, own), 0)
    seen = (shares / np.maximum(shares.sum(1, keepdims=True), 1e-12)).astype(np.float32)
    back = AxisMap.of(working_nm=1, anchor_nm=0, voxel_nm=size, offset_nm=-phase * size, count=other)
    index, weight = back.taps(0, count)
    brought = np.zeros((count, other), np.float32)
    np.add.at(brought, (np.broadcast_to(own, index.shape), index), weight)
    through: NDArray[np.float32] = brought @ seen
    return through


def _grey_values(image: NDArray[np.float32], how: Augmentation, generator: np.random.Generator) -> NDArray[np.float32]:
    """Gamma, contrast and brightness, the last two also by section."""
    depth = image.shape[0]
    image = image ** np.float32(np.exp(how.gamma * generator.uniform(-1, 1)))
    gain = 1 + how.contrast * (generator.uniform(-1, 1) + how.section_jitter * generator.uniform(-1, 1, (depth, 1, 1)))
    shift = how.brightness * (generator.uniform(-1, 1) + how.section_jitter * generator.uniform(-1, 1, (depth, 1, 1)))
    return ((image - 0.5) * gain.astype(np.float32) + (0.5 + shift).astype(np.float32)).astype(np.float32)


def _noise(shape: tuple[int, ...], how: Augmentation, generator: np.random.Generator) -> NDArray[np.float32]:
    """Noise whose deviation differs by section; half the time it is smoothed to grain of the same deviation."""
    noise = generator.standard_normal(shape, dtype=np.float32)
    grain = how.grain * generator.random()
    if generator.random() < 0.5 and grain > 0.2:
        noise = gaussian_filter(noise, (0, grain, grain))
        noise /= max(float(noise.std()), 1e-6)
    deviations = how.noise * generator.random() * generator.uniform(0.5, 1.0, (shape[0], 1, 1))
    return noise * deviations.astype(np.float32)


def _blank(image: NDArray[np.float32], how: Augmentation, generator: np.random.Generator) -> None:
    """Blank sections in place: some apart or two in a row, wholly or (one in three) one quarter of the plane."""
    depth, height, width = image.shape
    most = min(how.sections, depth // 3)
    if most == 0:
        return
    if most > 1 and generator.random() < 0.4:
        first = int(generator.integers(0, depth - 1))
        places = [first, first + 1]
    else:
        places = generator.choice(depth, int(generator.integers(1, most + 1)), replace=False).tolist()
    value = generator.choice(BLANKS)
    if generator.random() < 1 / 3:
        y, x = int(generator.integers(1, height)), int(generator.integers(1, width))
        rows = slice(0, y) if generator.random() < 0.5 else slice(y, height)
        columns = slice(0, x) if generator.random() < 0.5 else slice(x, width)
        image[places, rows, columns] = value
    else:
        image[places] = value
