"""Clefts with the scores of their candidates at several dilations: all that choosing partners needs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.objects import WholeClefts
from connectome.errors import StorageError
from connectome.files import whole_file
from connectome.geometry import NmTriple, Triple
from connectome.partners.assignment import (
    AssignmentRules,
    CleftPatch,
    CleftView,
    choose,
    score_candidates,
    worth_judging,
)
from connectome.partners.candidates import Candidates, dilation_shape, find_candidates
from connectome.partners.confidence import Evidence
from connectome.partners.scores import Assigner, Pair, Scores


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What choices scores are to serve.

    Attributes:
        dilations_nm: ascending.
        min_contact: the least share of the largest contact that a partner must have.
    """

    dilations_nm: tuple[float, ...]
    min_contact: float

    def covers(self, other: Reach) -> bool:
        """Whether what serves these choices serves the other ones too."""
        return set(other.dilations_nm) <= set(self.dilations_nm) and self.min_contact <= other.min_contact


@dataclass(frozen=True, kw_only=True)
class ScoredCandidates:
    """The candidates of one cleft at the largest dilation.

    Attributes:
        segment_id: uint64 (n,), ascending.
        scores: of all of them; fewer candidates' scores follow from these (see `Scores.among`). Where pairs were
            judged, only those that may be chosen at one of the dilations (see `worth_judging`).
        contact_voxels: int64 (dilations, n), 0 where a candidate is none at that dilation.
    """

    segment_id: NDArray[np.uint64]
    scores: Scores
    contact_voxels: NDArray[np.int64]


def score_at_dilations(
    patches: list[CleftPatch], assigner: Assigner, reach: Reach, view: tuple[NmTriple, Triple]
) -> list[ScoredCandidates]:
    """The candidates of each cleft, scored for every choice within `reach`; one call of the assigner.

    Args:
        patches: what was read of each.
        assigner: who scores.
        reach: the choices.
        view: nm of a voxel, and voxels that the assigner sees at once, both (z, y, x).
    """
    resolution_nm, patch_shape = view
    found = [_contacts(patch, reach.dilations_nm, resolution_nm) for patch in patches]
    judged = [_judged_at_any(contact, reach.min_contact) for _, contact in found]
    seen = CleftView(dilation=dilation_shape(reach.dilations_nm[-1], resolution_nm), patch_shape=patch_shape)
    scores = score_candidates(patches, [candidates for candidates, _ in found], judged, assigner, seen)
    return [
        ScoredCandidates(segment_id=candidates.segment_id, scores=own, contact_voxels=contact)
        for (candidates, contact), own in zip(found, scores, strict=True)
    ]


def _contacts(
    patch: CleftPatch, dilations_nm: tuple[float, ...], resolution_nm: NmTriple
) -> tuple[Candidates, NDArray[np.int64]]:
    """The candidates at the largest dilation, and their contacts (dilations, n) at each."""
    levels = [
        find_candidates(patch.segmentation, patch.mask, dilation_shape(dilation_nm, resolution_nm))
        for dilation_nm in dilations_nm
    ]
    contact = np.zeros((len(levels), len(levels[-1].segment_id)), np.int64)
    for row, level in zip(contact, levels, strict=True):
        row[np.searchsorted(levels[-1].segment_id, level.segment_id)] = level.contact_voxels
    return levels[-1], contact


def _judged_at_any(contact: NDArray[np.int64], min_contact: float) -> NDArray[np.bool_]:
    """Which candidates are worth judging at one of the dilations, from contacts (dilations, n)."""
    judged = np.zeros(contact.shape[1], bool)
    for level in contact:
        near = np.flatnonzero(level)
        judged[near[worth_judging(level[near], min_contact)]] = True
    return judged


@dataclass(frozen=True, kw_only=True)
class ChosenSynapses:
    """The synapses of clefts at one dilation.

    Attributes:
        cleft: int64 (n,), places in the clefts. pre_segment_id, post_segment_id: int64 (n,).
        evidence: what is known of each.
        score: float64 (n,), their raw scores.
    """

    cleft: NDArray[np.int64]
    pre_segment_id: NDArray[np.int64]
    post_segment_id: NDArray[np.int64]
    evidence: tuple[Evidence, ...]
    score: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ScoredClefts:
    """The clefts of a box at one threshold.

    Attributes:
        clefts: all of at least `min_size_voxels`.
        candidates: of each cleft.
        reach: the choices that their scores serve.
    """

    clefts: WholeClefts
    candidates: tuple[ScoredCandidates, ...]
    reach: Reach
    min_size_voxels: int

    def choose(self, rules: AssignmentRules) -> ChosenSynapses:
        """The partners that a build with these rules chooses; they must lie within `reach`."""
        level = self.reach.dilations_nm.index(rules.dilation_nm)
        places, pairs, evidence = [], [], []
        for i, candidates in enumerate(self.candidates):
            near = np.flatnonzero(candidates.contact_voxels[level])
            scores, contact = candidates.scores.among(near), candidates.contact_voxels[level, near]
            for pair in choose(scores, contact, rules):
                places.append(i)
                pairs.append(candidates.segment_id[near][list(pair)])
                evidence.append(self._evidence(i, scores, contact, pair))
        partners = np.array(pairs, np.uint64).reshape(-1, 2).astype(np.int64)
        return ChosenSynapses(
            cleft=np.array(places, np.int64),
            pre_segment_id=partners[:, 0],
            post_segment_id=partners[:, 1],
            evidence=tuple(evidence),
            score=np.array([one.score for one in evidence], np.float64),
        )

    def _evidence(self, place: int, scores: Scores, contact: NDArray[np.int64], pair: Pair) -> Evidence:
        return Evidence(
            mean_score=float(self.clefts.mean_score[place]),
            max_score=float(self.clefts.max_score[place]),
            size_voxels=int(self.clefts.size_voxels[place]),
            scores=scores,
            contact_voxels=contact,
            pair=pair,
        )

    def covers(self, reach: Reach, min_size_voxels: int) -> bool:
        """Whether nothing is missing for these choices and all clefts of at least a size."""
        return self.reach.covers(reach) and self.min_size_voxels <= min_size_voxels

    def save(self, path: Path) -> None:
        """Write to one .npz file.

        Raises:
            StorageError: it can't be written.
        """
        arrays = {field.name: getattr(self.clefts, field.name) for field in fields(WholeClefts)}
        counts = np.array([len(one.segment_id) for one in self.candidates], np.int64)
        levels = len(self.reach.dilations_nm)
        roles = [np.zeros((2, 0), np.float32), *(one.scores.roles for one in self.candidates)]
        pairs = [np.zeros(0), *(one.scores.pairs.ravel() for one in self.candidates if one.scores.by_pair)]
        contacts = [np.zeros((levels, 0), np.int64), *(one.contact_voxels for one in self.candidates)]
        segments = [np.zeros(0, np.uint64), *(one.segment_id for one in self.candidates)]
        with whole_file(path) as file:
            np.savez_compressed(
                file,
                **arrays,
                counts=counts,
                segment_id=np.concatenate(segments),
                roles=np.concatenate(roles, 1),
                pairs=np.concatenate(pairs),
                by_pair=np.array(any(one.scores.by_pair for one in self.candidates)),
                contact_voxels=np.concatenate(contacts, 1),
                dilations_nm=np.array(self.reach.dilations_nm),
                min_contact=np.array(self.reach.min_contact),
                min_size=np.array(self.min_size_voxels),
            )

    @classmethod
    def load(cls, path: Path) -> ScoredClefts:
        """The inverse of `save`.

        Raises:
            StorageError: it can't be read.
        """
        try:
            with np.load(path) as file:
                found = dict(file)
        except (OSError, ValueError, EOFError) as error:
            raise StorageError(f"{path} can't be read: delete it, it will be made again") from error
        stops = np.cumsum(found["counts"])
        squares = np.cumsum(found["counts"] ** 2)
        candidates = tuple(
            ScoredCandidates(
                segment_id=found["segment_id"][a:b],
                scores=(
                    Scores.of_pairs(found["pairs"][c - (b - a) ** 2 : c].reshape(b - a, b - a))
                    if found["by_pair"]
                    else Scores.of_roles(found["roles"][:, a:b])
                ),
                contact_voxels=found["contact_voxels"][:, a:b],
            )
            for a, b, c in zip(stops - found["counts"], stops, squares, strict=True)
        )
        return cls(
            clefts=WholeClefts(**{field.name: found[field.name] for field in fields(WholeClefts)}),
            candidates=candidates,
            reach=Reach(dilations_nm=tuple(found["dilations_nm"].tolist()), min_contact=float(found["min_contact"])),
            min_size_voxels=int(found["min_size"]),
        )

    def at_least(self, min_size_voxels: int) -> ScoredClefts:
        """Without the clefts of a lower size."""
        kept = np.flatnonzero(self.clefts.size_voxels >= min_size_voxels)
        columns = {field.name: getattr(self.clefts, field.name)[kept] for field in fields(WholeClefts)}
        candidates = tuple(self.candidates[i] for i in kept)
        return replace(self, clefts=WholeClefts(**columns), candidates=candidates, min_size_voxels=min_size_voxels)
