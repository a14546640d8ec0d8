"""Clefts with the scores of their candidates at several dilations, and their file: all that choosing partners needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.errors import StorageError
from connectome.files import whole_file
from connectome.partners.assignment import AssignmentRules, RuleRange, ScoredCleft
from connectome.partners.candidates import Contacts
from connectome.partners.scores import Scores
from connectome.partners.synapses import Chosen
from connectome.records import Clefts


@dataclass(frozen=True, kw_only=True)
class ScoredClefts:
    """The clefts of a box at one threshold.

    Attributes:
        clefts: all of at least `min_size_voxels`.
        scored: of each cleft.
        served: the rules that the scores serve.
    """

    clefts: Clefts
    scored: tuple[ScoredCleft, ...]
    served: RuleRange
    min_size_voxels: int

    def choose(self, rules: AssignmentRules) -> Chosen:
        """The partners that a build with these rules chooses; they must lie within what is served."""
        level = self.served.dilations_nm.index(rules.dilation_nm)
        return Chosen.of(self.clefts, [cleft.partners(level, rules) for cleft in self.scored])

    def covers(self, served: RuleRange, min_size_voxels: int) -> bool:
        """True if nothing is missing for these rules and all clefts of at least a size."""
        return self.served.covers(served) and self.min_size_voxels <= min_size_voxels

    def at_least(self, min_size_voxels: int) -> ScoredClefts:
        """Without the clefts of a lower size."""
        kept = np.flatnonzero(self.clefts.size_voxels >= min_size_voxels)
        scored = tuple(self.scored[i] for i in kept)
        return replace(self, clefts=self.clefts.take(kept), scored=scored, min_size_voxels=min_size_voxels)

    def save(self, path: Path) -> None:
        """Write to one .npz file.

        Raises:
            StorageError: it can't be written.
        """
        scores = [one.scores for one in self.scored]
        contacts = [contact for one in self.scored for contact in one.contacts]
        by_pair = any(one.by_pair for one in scores)
        with whole_file(path) as file:
            np.savez_compressed(
                file,
                **vars(self.clefts),
                counts=np.array([len(one.segment_id) for one in contacts], np.int64),
                segment_id=np.concatenate([np.zeros(0, np.uint64), *(one.segment_id for one in contacts)]),
                contact_voxels=np.concatenate([np.zeros(0, np.int64), *(one.contact_voxels for one in contacts)]),
                contact_point=np.concatenate([np.zeros((0, 3), np.int64), *(one.contact_point for one in contacts)]),
                roles=np.concatenate([np.zeros((2, 0), np.float32), *(one.roles for one in scores)], 1),
                pairs=np.concatenate([np.zeros(0), *(one.pairs.ravel() for one in scores if one.by_pair)]),
                by_pair=np.array(by_pair),
                dilations_nm=np.array(self.served.dilations_nm),
                min_contact=np.array(self.served.min_contact),
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
        served = RuleRange(dilations_nm=tuple(found["dilations_nm"].tolist()), min_contact=float(found["min_contact"]))
        return cls(
            clefts=Clefts(**{name: found[name] for name in Clefts.described()}),
            scored=tuple(
                ScoredCleft(contacts=contacts, scores=scores)
                for contacts, scores in zip(_contacts(found, len(served.dilations_nm)), _scores(found), strict=True)
            ),
            served=served,
            min_size_voxels=int(found["min_size"]),
        )


def _contacts(found: dict[str, NDArray[np.generic]], levels: int) -> list[tuple[Contacts, ...]]:
    """Of each cleft, at every dilation, from the arrays of a file."""
    names = ("segment_id", "contact_voxels", "contact_point")
    borders = np.cumsum(found["counts"])[:-1]
    parts = zip(*(np.split(found[name], borders) for name in names), strict=True)
    each = [Contacts(**dict(zip(names, part, strict=True))) for part in parts] if len(found["counts"]) else []
    return [tuple(each[i : i + levels]) for i in range(0, len(each), levels)]


def _scores(found: dict[str, NDArray[np.generic]]) -> list[Scores]:
    """Of the candidates at the largest dilation of each cleft, from the arrays of a file."""
    counts = found["counts"].reshape(-1, len(found["dilations_nm"]))[:, -1]
    if not len(counts):
        return []
    if not found["by_pair"]:
        return [Scores.of_roles(roles) for roles in np.split(found["roles"], np.cumsum(counts)[:-1], axis=1)]
    squares = np.split(found["pairs"], np.cumsum(counts**2)[:-1])
    return [Scores.of_pairs(pairs.reshape(n, n)) for pairs, n in zip(squares, counts.tolist(), strict=True)]
