"""Clefts with the scores of their candidates at several dilations: all that choosing partners needs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.objects import WholeClefts
from connectome.errors import StorageError
from connectome.geometry import NmTriple
from connectome.partners.assignment import AssignmentRules, CleftPatch, Partners, choose
from connectome.partners.candidates import dilation_shape, find_candidates
from connectome.partners.confidence import Evidence
from connectome.partners.scores import Pair, Scores
from connectome.whole_file import whole_file


@dataclass(frozen=True, kw_only=True)
class ScoredCandidates:
    """The candidates of one cleft at the largest dilation.

    Attributes:
        segment_id: uint64 (n,), ascending.
        scores: of all of them; fewer candidates' scores follow from these (see `Scores.among`).
        contact_voxels: int64 (dilations, n), 0 where a candidate is none at that dilation.
    """

    segment_id: NDArray[np.uint64]
    scores: Scores
    contact_voxels: NDArray[np.int64]

    @classmethod
    def of(
        cls, patch: CleftPatch, partners: Partners, dilations_nm: tuple[float, ...], resolution_nm: NmTriple
    ) -> ScoredCandidates:
        """The contacts at each dilation of what was scored at the largest; `dilations_nm` ascend to it."""
        candidates = partners.candidates
        contact = np.zeros((len(dilations_nm), len(candidates.segment_id)), np.int64)
        contact[-1] = candidates.contact_voxels
        for i, dilation_nm in enumerate(dilations_nm[:-1]):
            nearer = find_candidates(patch.segmentation, patch.mask, dilation_shape(dilation_nm, resolution_nm))
            contact[i, np.searchsorted(candidates.segment_id, nearer.segment_id)] = nearer.contact_voxels
        return cls(segment_id=candidates.segment_id, scores=partners.scores, contact_voxels=contact)


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
        dilations_nm: ascending.
    """

    clefts: WholeClefts
    candidates: tuple[ScoredCandidates, ...]
    dilations_nm: tuple[float, ...]
    min_size_voxels: int

    def choose(self, rules: AssignmentRules) -> ChosenSynapses:
        """The partners that a build with these rules chooses; its dilation must be one of `dilations_nm`."""
        level = self.dilations_nm.index(rules.dilation_nm)
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

    def covers(self, dilations_nm: tuple[float, ...], min_size_voxels: int) -> bool:
        """Whether nothing is missing for these dilations and all clefts of at least a size."""
        return set(dilations_nm) <= set(self.dilations_nm) and self.min_size_voxels <= min_size_voxels

    def save(self, path: Path) -> None:
        """Write to one .npz file.

        Raises:
            StorageError: it can't be written.
        """
        arrays = {field.name: getattr(self.clefts, field.name) for field in fields(WholeClefts)}
        counts = np.array([len(one.segment_id) for one in self.candidates], np.int64)
        levels = len(self.dilations_nm)
        roles = [np.zeros((2, 0), np.float32), *(one.scores.roles for one in self.candidates)]
        pairs = [np.zeros(0), *(one.scores.pairs.ravel() for one in self.candidates if one.scores.by_pair)]
        contacts = [np.zeros((levels, 0), np.int64), *(one.contact_voxels for one in self.candidates)]
        segments = [np.zeros(0, np.uint64), *(one.segment_id for one in self.candidates)]
        with whole_file(path) as file:
            np.savez_compressed(
                file, **arrays, counts=counts, segment_id=np.concatenate(segments), roles=np.concatenate(roles, 1),
                pairs=np.concatenate(pairs), by_pair=np.array(any(one.scores.by_pair for one in self.candidates)),
                contact_voxels=np.concatenate(contacts, 1), dilations_nm=np.array(self.dilations_nm),
                min_size=np.array(self.min_size_voxels),
            )  # fmt: skip

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
            dilations_nm=tuple(found["dilations_nm"].tolist()),
            min_size_voxels=int(found["min_size"]),
        )

    def at_least(self, min_size_voxels: int) -> ScoredClefts:
        """Without the clefts of a lower size."""
        kept = np.flatnonzero(self.clefts.size_voxels >= min_size_voxels)
        columns = {field.name: getattr(self.clefts, field.name)[kept] for field in fields(WholeClefts)}
        candidates = tuple(self.candidates[i] for i in kept)
        return replace(self, clefts=WholeClefts(**columns), candidates=candidates, min_size_voxels=min_size_voxels)
