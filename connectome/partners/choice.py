"""Choosing one presynaptic and one postsynaptic segment from the candidates' scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def choose_pair(pair_scores: NDArray[np.floating], eligible: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The pair of different eligible candidates with the highest score; the first of equals.

    Args:
        pair_scores: (n, n), [i, j] rates candidate i as pre with j as post.
        eligible: boolean (n,), which candidates may be chosen (see `main_contacts`).

    Returns:
        Positions of pre and post among the candidates; None with fewer than two that are eligible.
    """
    if np.count_nonzero(eligible) < 2:
        return None
    total = pair_scores.astype(np.float64)
    total[~(eligible[:, None] & eligible[None, :])] = -np.inf
    np.fill_diagonal(total, -np.inf)
    pre, post = divmod(int(total.argmax()), len(total))
    return pre, post


def main_contacts(contact_voxels: NDArray[np.integer], fraction: float, most: int | None = None) -> NDArray[np.bool_]:
    """Which candidates touch the cleft enough to be its partners.

    Those with at least `fraction` of the largest contact, and always the two with the largest: a segment that only
    brushes against the rim of a cleft isn't a partner, whatever the network sees in the rest of it.

    Args:
        contact_voxels: (n,) voxels of each candidate inside the dilated cleft.
        fraction: 0 lets all candidates through.
        most: of more than so many, at least 2, those with the largest contact (of equals the first); None: all.
    """
    if len(contact_voxels) == 0:
        return np.zeros(0, bool)
    eligible = contact_voxels >= fraction * contact_voxels.max()
    largest_first = np.argsort(-contact_voxels, kind="stable")
    eligible[largest_first[:2]] = True
    if most is not None:
        eligible[largest_first[most:]] = False
    return eligible
