"""How an image's grey values are brought to a model's: measured on the volume, given, or left as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from connectome.errors import ConfigError
from connectome.networks.checkpoint import Normalisation
from connectome.volumes.grey_values import GreyRange, grey_table, measure_grey_range
from connectome.volumes.working_grid import GridView


def choose_grey_range(how: str, image: GridView, recorded: Mapping[str, Any] | None = None) -> GreyRange | None:
    """The grey values of an image that are to meet a model's low and high; None: it is used as it is.

    The range is measured on the whole image, not on the box that is built, so that boxes built one by one match.

    Args:
        how: volume, none or LOW,HIGH (see `normalisation_text`).
        image: the image on the working grid.
        recorded: parameters of the run that is resumed; what it measured is used again.

    Raises:
        GreyValueError: the image has no contrast. ConfigError: the given range is beyond its data type.
    """
    if how == "none":
        return None
    if how != "volume":
        low, high = map(int, how.split(","))
        if high > np.iinfo(image.dtype).max:
            raise ConfigError(f"normalisation {how} is beyond {image.dtype}, which {image.volume.url} holds")
        return GreyRange(low=low, high=high)
    before = recorded or {}
    if before.get("normalisation") == how and before.get("grey_range") is not None:
        low, high = before["grey_range"]
        return GreyRange(low=low, high=high)
    return measure_grey_range(image, image.volume.url)


def as_model_sees(image: GridView, grey: GreyRange | None, how: Normalisation) -> GridView:
    """The image with a model's grey values: uint8."""
    target = GreyRange(low=how.low, high=how.high)
    return image.through(grey_table(image.dtype, grey, target))
