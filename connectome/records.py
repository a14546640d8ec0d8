"""Frozen records that travel between the rooms. Axes z, y, x; positions in nm unless a name says voxel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from connectome.geometry import NmTriple, Triple

LARGEST_ID = 2**63 - 1
"""Of a segment, a neuron or a synapse: what PostgreSQL's BIGINT holds."""


class Role(StrEnum):
    """The two sides of a synapse."""

    PRE = "pre"
    POST = "post"


class CleftState(StrEnum):
    """What became of a cleft: assigned, or why it has no synapse.

    Fewer than two segments touch it, its synapse scores less than the run's minimum, or it was merged into another's.
    """

    DETECTED = "detected"
    ASSIGNED = "assigned"
    NO_PARTNERS = "no_partners"
    LOW_SCORE = "low_score"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True)
class Cleft:
    """One connected object of cleft voxels.

    Attributes:
        cleft_id: 1 + the C-order index of its first voxel in the whole volume: follows from position alone.
        size_voxels: voxels at the working resolution.
        centroid_voxel: mean voxel index (z, y, x), floored to whole voxels: where its patch is centred.
        centroid_nm: mean of its voxels' centres (z, y, x).
        box_start_nm, box_stop_nm: its bounding box (z, y, x), stop exclusive.
        mean_score, max_score: the detector's output over its voxels, in [0, 1].
    """

    cleft_id: int
    size_voxels: int
    centroid_voxel: Triple
    centroid_nm: NmTriple
    box_start_nm: NmTriple
    box_stop_nm: NmTriple
    mean_score: float
    max_score: float
    state: CleftState = CleftState.DETECTED


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A segment near a cleft with the network's score in one role, in [0, 1]."""

    cleft_id: int
    segment_id: int
    role: Role
    score: float
    contact_voxels: int


@dataclass(frozen=True, kw_only=True)
class Synapse:
    """A cleft with its chosen partners.

    Attributes:
        confidence: probability that it is correct, in [0, 1]; without a fitted model its raw score, which is mean cleft
            score times both partner scores.
        pre_point_nm, post_point_nm: a point (z, y, x) inside each partner beside the cleft.
    """

    cleft_id: int
    pre_segment_id: int
    post_segment_id: int
    pre_score: float
    post_score: float
    confidence: float
    pre_point_nm: NmTriple
    post_point_nm: NmTriple


@dataclass(frozen=True, kw_only=True)
class Edge:
    """All synapses from one segment to another; mean_confidence is None if none of them has one."""

    pre_segment_id: int
    post_segment_id: int
    synapse_count: int
    size_voxels: int
    mean_confidence: float | None


@dataclass(frozen=True, kw_only=True)
class SynapseRow:
    """A synapse joined with its cleft, as graphs, evaluation and exports read it; its confidence may be unknown."""

    cleft_id: int
    pre_segment_id: int
    post_segment_id: int
    confidence: float | None
    size_voxels: int
    centroid_nm: NmTriple


@dataclass(frozen=True, kw_only=True)
class ReferenceSynapse:
    """One annotated synapse: its cleft label, its partners, its cleft's centroid in voxels of the segmentation."""

    cleft_id: int
    pre_segment_id: int
    post_segment_id: int
    centroid_voxel: tuple[float, float, float]
    size_voxels: int


class Progress(Protocol):
    """How long work reports itself; the command line shows it as a bar on stderr."""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Begin a stage of `total` units, `done` of them already finished."""

    def advance(self, amount: int) -> None:
        """Report `amount` more units of the stage."""

    def note(self, text: str) -> None:
        """Show `text` beside the stage until the next note."""

    def say(self, text: str) -> None:
        """Tell something that stays."""

    def finish(self) -> None:
        """End the stage."""


class NoProgress:
    """Progress that shows nothing."""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Ignore."""

    def advance(self, amount: int) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""

    def say(self, text: str) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""
