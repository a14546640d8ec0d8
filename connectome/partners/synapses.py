"""From the partners of clefts to tables: candidates, synapses, what became of each cleft."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Grid
from connectome.partners.assignment import Partners
from connectome.partners.confidence import ConfidenceModel, Evidence, pair_evidence
from connectome.records import AssignedSynapses, Candidates, Clefts, CleftState, Role, Synapses


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The synapses of clefts, with their raw scores as confidence.

    Attributes:
        synapses: by cleft, and in the order of its pairs.
        cleft: int64 (n,), the place of each one's cleft.
        pair: int64 (n, 2), positions of pre and post among the cleft's candidates.
        evidence: what is known of each.
    """

    synapses: Synapses
    cleft: NDArray[np.int64]
    pair: NDArray[np.int64]
    evidence: Evidence

    @classmethod
    def of(cls, clefts: Clefts, partners: Sequence[Partners]) -> Chosen:
        """From the partners of each cleft."""
        cleft = np.repeat(np.arange(len(clefts)), [len(one.pairs) for one in partners])
        own = clefts.take(cleft)
        pairs = [np.array(one.pairs, np.int64).reshape(-1, 2) for one in partners]
        known = [pair_evidence(one.scores, one.candidates.contact_voxels, one.pairs) for one in partners]
        segments = [one.candidates.segment_id[pair] for one, pair in zip(partners, pairs, strict=True)]
        evidence = Evidence(
            mean_score=own.mean_score,
            max_score=own.max_score,
            size_voxels=own.size_voxels,
            pairs=np.concatenate([np.zeros((0, 7)), *known]),
        )
        partner = _joined(segments)
        synapses = Synapses(
            cleft_id=own.cleft_id,
            pre_segment_id=partner[:, 0],
            post_segment_id=partner[:, 1],
            confidence=evidence.score,
            size_voxels=own.size_voxels,
            centroid_nm=own.centroid_nm,
        )
        return cls(synapses=synapses, cleft=cleft, pair=_joined(pairs), evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """What is written of clefts; `state`: of each, one of `CleftState`."""

    candidates: Candidates
    synapses: AssignedSynapses
    state: NDArray[np.str_]

    @classmethod
    def concatenated(cls, parts: Sequence[Assigned]) -> Assigned:
        """Of the clefts of all parts."""
        return cls(
            candidates=Candidates.concatenated(part.candidates for part in parts),
            synapses=AssignedSynapses.concatenated(part.synapses for part in parts),
            state=np.concatenate([np.zeros(0, np.str_), *(part.state for part in parts)]),
        )


def assigned(
    clefts: Clefts,
    partners: Sequence[Partners],
    seen: Sequence[Box],
    grid: Grid,
    min_score: float,
    confidence: ConfidenceModel | None,
) -> Assigned:
    """The rows of clefts, from their partners.

    Args:
        clefts: n of them.
        partners: of each.
        seen: the box of the patch of each, in voxels of `grid`.
        grid: the working grid.
        min_score: synapses of a lower raw score are left out.
        confidence: makes the synapses' confidence; None: it is their raw score.
    """
    chosen = Chosen.of(clefts, partners)
    kept = chosen.evidence.score >= min_score
    state = np.full(len(clefts), CleftState.NO_PARTNERS.value, "<U11")
    state[chosen.cleft] = CleftState.LOW_SCORE.value
    state[chosen.cleft[kept]] = CleftState.ASSIGNED.value
    start = np.array([box.start for box in seen], np.int64).reshape(-1, 3)
    places = [
        one.candidates.contact_point[np.array(one.pairs, np.int64).reshape(-1, 2)] + first
        for one, first in zip(partners, start, strict=True)
    ]
    points = np.concatenate([np.zeros((0, 2, 3), np.int64), *places])[kept]
    points_nm = np.array(grid.offset_nm) + (points + 0.5) * np.array(grid.resolution_nm)
    evidence = chosen.evidence.take(kept)
    values = vars(chosen.synapses.take(kept))
    if confidence is not None:
        values = values | {"confidence": confidence.probabilities(evidence.features())}
    synapses = AssignedSynapses(
        **values,
        pre_score=evidence.pairs[:, 1],
        post_score=evidence.pairs[:, 2],
        pre_point_nm=points_nm[:, 0],
        post_point_nm=points_nm[:, 1],
    )
    return Assigned(candidates=_candidates(clefts, partners), synapses=synapses, state=state)


def _candidates(clefts: Clefts, partners: Sequence[Partners]) -> Candidates:
    """Every candidate in both roles, one after the other."""
    counts = [2 * len(one.candidates.segment_id) for one in partners]
    score = [np.zeros(0, np.float32), *(one.scores.roles.T.ravel() for one in partners)]
    contact = [np.zeros(0, np.int64), *(one.candidates.contact_voxels for one in partners)]
    segment = [np.zeros(0, np.uint64), *(one.candidates.segment_id for one in partners)]
    return Candidates(
        cleft_id=np.repeat(clefts.cleft_id, counts),
        segment_id=np.repeat(np.concatenate(segment), 2),
        role=np.tile(np.array([Role.PRE.value, Role.POST.value]), sum(counts) // 2),
        score=np.concatenate(score),
        contact_voxels=np.repeat(np.concatenate(contact), 2),
    )


def _joined(pairs: Iterable[NDArray[np.integer]]) -> NDArray[np.int64]:
    """Arrays (m, 2) of numbers below 2^63 as one."""
    return np.concatenate([np.zeros((0, 2), np.int64), *(each.astype(np.int64) for each in pairs)])
