"""Detected clefts against annotated ones, as objects, whatever their partners.

1. A detected cleft with more than half of its voxels in ignored space counts neither way.
2. Any other belongs to the annotated cleft that it shares most voxels with. It counts only if that one is wanted.
3. An annotated cleft that one or more detected ones belong to is found; each further one is a false positive.
4. A detected cleft that shares no voxel with any annotated one is a false positive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from connectome.evaluate.overlap import OverlapTable
from connectome.evaluate.wilson import ratio


@dataclass(frozen=True, kw_only=True)
class CleftCounts:
    """How many clefts were found, were detected where there is none, and were missed."""

    found: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of detected clefts that are right; 0 where none is."""
        return ratio(self.found, self.found + self.false)

    @property
    def recall(self) -> float:
        """The share of annotated clefts that are found; 0 where there is none."""
        return ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where nothing is detected or annotated."""
        return ratio(2 * self.found, 2 * self.found + self.false + self.missed)

    def __add__(self, other: CleftCounts) -> CleftCounts:
        return CleftCounts(
            found=self.found + other.found, false=self.false + other.false, missed=self.missed + other.missed
        )


def count_clefts(overlaps: OverlapTable, wanted: Collection[int], min_size_voxels: int = 1) -> CleftCounts:
    """Count detected clefts of at least `min_size_voxels`.

    Args:
        overlaps: every detected cleft with what it covers.
        wanted: the annotated clefts to be found; others may be found or not.
        min_size_voxels: smaller detected clefts are dropped.
    """
    judged = [
        overlap
        for overlap in overlaps.values()
        if overlap.size_voxels >= min_size_voxels and not overlap.is_mostly_ignored
    ]
    hits = Counter(overlap.best for overlap in judged)
    found = sum(cleft in hits for cleft in wanted)
    again = sum(hits[cleft] - 1 for cleft in wanted if cleft in hits)
    return CleftCounts(found=found, false=hits[None] + again, missed=len(wanted) - found)
