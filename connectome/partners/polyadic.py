"""Choosing all partners of a cleft: several synapses, as insects have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.partners.choice import choose_pair
from connectome.partners.scores import Pair, Scores


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
