"""How an image's grey values are brought to a model's: measured on the volume, given, or left as they are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from connectome.errors import ConfigError
from connectome.networks.checkpoint import Normalisation
from connectome.volumes.grey_values import GreyRange, grey_table, measure_grey_range
from connectome.volumes.working_grid import GridView


class Normalising(StrEnum):
    """What is done where no range is given: measure one on the whole volume, or keep the grey values."""

    VOLUME = "volume"
    NONE = "none"


def normalisation_of(text: str) -> Normalising | GreyRange:
    """Read 'volume', 'none' or 'LOW,HIGH'.

    Raises:
        ConfigError: another text, or LOW and HIGH aren't whole numbers with 0 <= LOW < HIGH.
    """
    if text in list(Normalising):
        return Normalising(text)
    try:
        low, high = (int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"normalisation '{text}' isn't volume, none or two whole grey values: write e.g. 70,190"
        ) from error
    if not 0 <= low < high:
        raise ConfigError(f"normalisation '{text}': the low grey value must be at least 0 and below the high one")
    return GreyRange(low=low, high=high)


def choose_grey_range(
    how: Normalising | GreyRange, image: GridView, recorded: Mapping[str, Any] | None = None
) -> GreyRange | None:
    """The grey values of an image that are to meet a model's low and high; None: it is used as it is.

    The range is measured on the whole image, not on the box that is built, so that boxes built one by one match.

    Args:
        how: what was asked for.
        image: the image on the working grid.
        recorded: what `recorded_normalisation` gave for the run that is resumed; what it measured is used again.

    Raises:
        GreyValueError: the image has no contrast. ConfigError: the given range is beyond its data type.
    """
    match how:
        case GreyRange():
            if how.high > np.iinfo(image.dtype).max:
                raise ConfigError(
                    f"normalisation {how.low},{how.high} is beyond {image.dtype}, which {image.volume.url} holds"
                )
            return how
        case Normalising.NONE:
            return None
        case Normalising.VOLUME:
            before = recorded or {}
            if before.get("normalisation") == str(how) and before.get("grey_range") is not None:
                low, high = before["grey_range"]
                return GreyRange(low=low, high=high)
            return measure_grey_range(image, image.volume.url)


def recorded_normalisation(how: Normalising | GreyRange, grey: GreyRange | None) -> dict[str, Any]:
    """What was asked for and what came of it, as plain values for a run's parameters."""
    asked = f"{how.low},{how.high}" if isinstance(how, GreyRange) else str(how)
    return {"normalisation": asked, "grey_range": None if grey is None else [grey.low, grey.high]}


def as_model_sees(image: GridView, grey: GreyRange | None, how: Normalisation) -> GridView:
    """The image with a model's grey values: uint8."""
    target = GreyRange(low=how.low, high=how.high)
    return image.through(grey_table(image.dtype, grey, target))
