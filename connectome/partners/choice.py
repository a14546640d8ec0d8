"""Choosing one presynaptic and one postsynaptic segment from the candidates' scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def choose_pair(pre_scores: NDArray[np.floating], post_scores: NDArray[np.floating]) -> tuple[int, int] | None:
    """The pair of different candidates with the highest sum of scores; the first of equals.

    Args:
        pre_scores: (n,) score of each candidate as the presynaptic segment.
        post_scores: (n,) as the postsynaptic one.

    Returns:
        Positions of pre and post among the candidates; None with fewer than two candidates.
    """
    n = len(pre_scores)
    if n < 2:
        return None
    total = pre_scores[:, None].astype(np.float64) + post_scores[None, :].astype(np.float64)
    np.fill_diagonal(total, -np.inf)
    pre, post = divmod(int(total.argmax()), n)
    return pre, post
