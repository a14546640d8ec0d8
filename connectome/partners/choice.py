"""Choosing partners from the candidates' scores: one pair, or all of them, as insects have several a cleft."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.partners.scores import Pair, Scores


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
    eligible: NDArray[np.bool_] = contact_voxels >= fraction * contact_voxels.max()
    largest_first = np.argsort(-contact_voxels, kind="stable")
    eligible[largest_first[:2]] = True
    if most is not None:
        eligible[largest_first[most:]] = False
    return eligible


def choose_pairs(
    scores: Scores, eligible: NDArray[np.bool_], pre_threshold: float, post_threshold: float
) -> tuple[Pair, ...]:
    """The best pair, and all others whose partners score at least the threshold of their role.

    A segment has one role at a cleft. Where roles were judged, a candidate over both thresholds takes the role that it
    scores higher in, of equals post; every pre is paired with every post. Where pairs were judged, a pair's probability
    must reach both thresholds, and a pair that gives a segment another role than a better pair does is left out.

    Args:
        scores: of n candidates.
        eligible: boolean (n,), which candidates may be chosen.
        pre_threshold: in [0, 1].
        post_threshold: in [0, 1].

    Returns:
        Positions of pre and post among the candidates, ascending; none with fewer than two that are eligible.
    """
    best = choose_pair(scores.pairs, eligible)
    if best is None:
        return ()
    if scores.by_pair:
        return _judged_pairs(scores.pairs, eligible, max(pre_threshold, post_threshold), best)
    as_pre = eligible & (scores.roles[0] >= pre_threshold)
    as_post = eligible & (scores.roles[1] >= post_threshold)
    prefers_pre = scores.roles[0] > scores.roles[1]
    as_pre, as_post = as_pre & (prefers_pre | ~as_post), as_post & ~(prefers_pre & as_pre)
    for role, chosen, other in ((0, as_pre, as_post), (1, as_post, as_pre)):
        chosen[best[role]], other[best[role]] = True, False
    pres, posts = (np.flatnonzero(role).tolist() for role in (as_pre, as_post))
    return tuple((pre, post) for pre in pres for post in posts)


def _judged_pairs(
    pairs: NDArray[np.float64], eligible: NDArray[np.bool_], threshold: float, best: Pair
) -> tuple[Pair, ...]:
    """The pairs over the threshold, best first, without those that contradict a better one; ascending in the end."""
    allowed = eligible[:, None] & eligible[None, :] & (pairs >= threshold) & ~np.eye(len(pairs), dtype=bool)
    found = np.argwhere(allowed)
    ranked = found[np.argsort(-pairs[allowed], kind="stable")].tolist()
    pres, posts, chosen = {best[0]}, {best[1]}, {best}
    for pre, post in ranked:
        if pre not in posts and post not in pres:
            pres.add(pre)
            posts.add(post)
            chosen.add((pre, post))
    return tuple(sorted(chosen))
