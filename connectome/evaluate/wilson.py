"""Confidence intervals for counted fractions."""

from __future__ import annotations

import math
from typing import NamedTuple

Z_95 = 1.959963984540054


class Interval(NamedTuple):
    """A confidence interval of a fraction; both ends inclusive, in [0, 1]."""

    low: float
    high: float


def wilson_interval(successes: int, n: int, z: float = Z_95) -> Interval:
    """Wilson's score interval for a binomial fraction (E. B. Wilson, J. Am. Stat. Assoc. 22:209, 1927).

    Args:
        successes: how many of `n` succeeded, 0 <= successes <= n.
        n: trials. With none the fraction can be anything: (0, 1).
        z: quantile of the normal distribution; the default makes a 95 % interval.

    Raises:
        ValueError: successes outside of 0 to n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return Interval(0.0, 1.0)
    fraction = successes / n
    scale = 1.0 + z * z / n
    centre = (fraction + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(fraction * (1.0 - fraction) / n + z * z / (4.0 * n * n))
    low = 0.0 if successes == 0 else max(centre - half, 0.0)
    high = 1.0 if successes == n else min(centre + half, 1.0)
    return Interval(low, high)


def ratio(part: int, whole: int) -> float:
    """`part / whole`, and 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0
