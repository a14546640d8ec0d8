"""Do probabilities keep what they promise? Reliability in bins, and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from connectome.evaluate.intervals import Interval, wilson_interval

BINS = 10


class Binning(StrEnum):
    """The bins that probabilities are put into: of equal width in [0, 1], or of equal numbers."""

    EQUAL_WIDTH = "equal-width"
    EQUAL_MASS = "equal-mass"


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The predictions of one bin.

    Attributes:
        n: how many.
        confidence: their mean probability.
        accuracy: the share that is correct, with its Wilson 95 % interval.
    """

    n: int
    confidence: float
    accuracy: float
    interval: Interval


def reliability(
    probability: NDArray[np.floating], correct: NDArray[np.bool_], binning: Binning, bins: int = BINS
) -> list[ReliabilityBin]:
    """The bins that hold any prediction, by ascending probability.

    Args:
        probability: (n,) in [0, 1], that a prediction is correct.
        correct: boolean (n,).
        binning: equal width, where a bin holds its lower end and the last one both; or equal mass, where numbers
            differ by at most one and equal probabilities may fall into neighbouring bins.
        bins: how many.
    """
    match binning:
        case Binning.EQUAL_WIDTH:
            place = np.minimum((np.asarray(probability) * bins).astype(np.int64), bins - 1)
            members = [np.flatnonzero(place == i) for i in range(bins)]
        case Binning.EQUAL_MASS:
            members = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [
        ReliabilityBin(
            n=len(own),
            confidence=float(probability[own].mean()),
            accuracy=float(correct[own].mean()),
            interval=wilson_interval(int(correct[own].sum()), len(own)),
        )
        for own in members
        if len(own)
    ]


def expected_calibration_error(
    probability: NDArray[np.floating],
    correct: NDArray[np.bool_],
    binning: Binning = Binning.EQUAL_WIDTH,
    bins: int = BINS,
) -> float:
    """The mean over predictions of |accuracy - confidence| of their bin (Naeini et al., AAAI 2015); 0 without any."""
    found = reliability(probability, correct, binning, bins)
    total = sum(b.n for b in found)
    return sum(b.n * abs(b.accuracy - b.confidence) for b in found) / total if total else 0.0
