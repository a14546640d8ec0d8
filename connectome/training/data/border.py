"""The end of a volume: a detector is shown the mirror image beyond it (see `pipeline.predicting.mirrored`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE = 0.4
"""The least share of a patch that is left along the axis that ends."""


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
