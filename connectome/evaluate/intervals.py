"""Counted fractions and how sure they are."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval of a fraction; both ends inclusive, in [0, 1]."""

    low: float
    high: float


def wilson_interval(successes: int, n: int) -> Interval:
    """Wilson's 95 % score interval of a binomial fraction (E. B. Wilson, J. Am. Stat. Assoc. 22:209, 1927).

    Args:
        successes: how many of `n` succeeded, 0 <= successes <= n.
        n: trials. With none the fraction can be anything: (0, 1).

    Raises:
        ValueError: successes outside of 0 to n.
    """
    from scipy.stats import binomtest  # takes longer to import than most commands take

    if n == 0 == successes:
        return Interval(0.0, 1.0)
    found = binomtest(successes, n).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high))


def ratio(part: int, whole: int) -> float:
    """`part / whole`, and 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0
