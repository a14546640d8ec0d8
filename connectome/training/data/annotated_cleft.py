"""Annotated clefts with all their partners: a polyadic cleft has several pairs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectome.records import ReferenceSynapse

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class AnnotatedCleft:
    """One annotated cleft.

    Attributes:
        pairs: its annotated (pre, post) segments, ascending; at least one.
        centroid_voxel: mean voxel index (z, y, x).
    """

    cleft_id: int
    pairs: tuple[Pair, ...]
    centroid_voxel: tuple[float, float, float]
    size_voxels: int

    @property
    def pre_segment_ids(self) -> tuple[int, ...]:
        """All its presynaptic segments, ascending."""
        return tuple(sorted({pre for pre, _ in self.pairs}))

    @property
    def post_segment_ids(self) -> tuple[int, ...]:
        """All its postsynaptic segments, ascending."""
        return tuple(sorted({post for _, post in self.pairs}))


def group_clefts(synapses: Iterable[ReferenceSynapse]) -> list[AnnotatedCleft]:
    """The clefts of some annotated synapses, each once, ascending by id; the order of the synapses doesn't matter."""
    grouped: dict[int, list[ReferenceSynapse]] = {}
    for synapse in synapses:
        grouped.setdefault(synapse.cleft_id, []).append(synapse)
    return [
        AnnotatedCleft(
            cleft_id=cleft_id,
            pairs=tuple(sorted({(s.pre_segment_id, s.post_segment_id) for s in own})),
            centroid_voxel=own[0].centroid_voxel,
            size_voxels=own[0].size_voxels,
        )
        for cleft_id, own in sorted(grouped.items())
    ]
