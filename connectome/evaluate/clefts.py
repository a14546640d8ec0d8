"""Detected clefts against annotated ones, as objects, whatever their partners.

1. A detected cleft with more than half of its voxels in ignored space counts neither way.
2. Any other belongs to the annotated cleft that it shares most voxels with. It counts only if that one is wanted.
3. An annotated cleft that one or more detected ones belong to is found; each further one is a false positive.
4. A detected cleft that shares no voxel with any annotated one is a false positive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from connectome.evaluate.intervals import ratio

MERGE_ROWS = 1_000_000
_PAIR = np.dtype([("predicted", np.uint64), ("reference", np.uint64)])


@dataclass(frozen=True, kw_only=True)
class PredictedOverlap:
    """The part of the reference that one predicted cleft covers.

    Attributes:
        size_voxels: its voxels, wherever they lie.
        ignore_voxels: its voxels in ignored space.
        by_reference: annotated cleft label -> shared voxels, at least 1 each.
    """

    size_voxels: int = 0
    ignore_voxels: int = 0
    by_reference: dict[int, int] = field(default_factory=dict)

    @property
    def is_mostly_ignored(self) -> bool:
        """True if more than half of its voxels lie in ignored space."""
        return 2 * self.ignore_voxels > self.size_voxels

    @property
    def best(self) -> int | None:
        """The annotated cleft it shares most voxels with (the smallest label of equals), None if it touches none."""
        return min(self.by_reference, key=lambda label: (-self.by_reference[label], label), default=None)


OverlapTable = dict[int, PredictedOverlap]


class OverlapCounter:
    """Counts pairs of labels at the same voxels. Memory grows with the number of touching pairs, not of voxels."""

    def __init__(self, *, background: Collection[int], ignore: int) -> None:
        """Begin with nothing counted.

        Args:
            background: reference labels that are no cleft.
            ignore: reference label of voxels where a prediction is neither right nor wrong.
        """
        self._background = frozenset(background)
        self._ignore = ignore
        self._pairs: NDArray[np.void] = np.zeros(0, _PAIR)
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._waiting: list[tuple[NDArray[np.void], NDArray[np.int64]]] = []
        self._waiting_rows = 0

    def add(self, predicted: NDArray[np.uint64], reference: NDArray[np.uint64]) -> None:
        """Count one block; blocks come in any order and must not overlap.

        Args:
            predicted: uint64 (z, y, x), predicted cleft ids, 0 = none.
            reference: uint64 (z, y, x), annotated cleft labels of the same voxels.

        Raises:
            ValueError: the shapes differ.
        """
        if predicted.shape != reference.shape:
            raise ValueError(f"predicted labels are {predicted.shape}, reference labels {reference.shape}")
        inside = predicted != 0
        predicted_ids, predicted_at = np.unique(predicted[inside], return_inverse=True)
        reference_ids, reference_at = np.unique(reference[inside], return_inverse=True)
        if len(predicted_ids) == 0:
            return
        codes, counts = np.unique(predicted_at * np.int64(len(reference_ids)) + reference_at, return_counts=True)
        pairs = np.empty(len(codes), _PAIR)
        pairs["predicted"] = predicted_ids[codes // len(reference_ids)]
        pairs["reference"] = reference_ids[codes % len(reference_ids)]
        self._waiting.append((pairs, counts.astype(np.int64)))
        self._waiting_rows += len(pairs)
        if self._waiting_rows > MERGE_ROWS:
            self._merge()

    def table(self) -> OverlapTable:
        """What has been counted so far, by predicted cleft id (ascending)."""
        self._merge()
        sizes: dict[int, int] = {}
        ignored: dict[int, int] = {}
        shared: dict[int, dict[int, int]] = {}
        rows = zip(
            self._pairs["predicted"].tolist(), self._pairs["reference"].tolist(), self._counts.tolist(), strict=True
        )
        for cleft_id, label, voxels in rows:
            sizes[cleft_id] = sizes.get(cleft_id, 0) + voxels
            if label == self._ignore:
                ignored[cleft_id] = voxels
            elif label not in self._background:
                shared.setdefault(cleft_id, {})[label] = voxels
        return {
            cleft_id: PredictedOverlap(
                size_voxels=size, ignore_voxels=ignored.get(cleft_id, 0), by_reference=shared.get(cleft_id, {})
            )
            for cleft_id, size in sizes.items()
        }

    def _merge(self) -> None:
        if not self._waiting:
            return
        pairs = np.concatenate([self._pairs, *(pairs for pairs, _ in self._waiting)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._waiting)])
        order = np.lexsort((pairs["reference"], pairs["predicted"]))
        pairs, counts = pairs[order], counts[order]
        first = np.ones(len(pairs), bool)
        first[1:] = pairs[1:] != pairs[:-1]
        starts = np.flatnonzero(first)
        self._pairs, self._counts = pairs[starts], np.add.reduceat(counts, starts)
        self._waiting, self._waiting_rows = [], 0


@dataclass(frozen=True, kw_only=True)
class CleftCounts:
    """The numbers of clefts that were found, were detected where there is none, and were missed."""

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
