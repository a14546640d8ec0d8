"""Patches of clefts that an assigner is shown, read from volumes, and several of them where a cleft is wider than one.

The windows that cover a wide cleft share voxels, but each voxel counts in one of them: where two overlap, the border
runs through the middle. A candidate's score in a role is the mean of the network's output over all its voxels that
count, so one window or several, the rule is the same. Where pairs are judged, a pair's probability is the mean over the
windows in which both of its segments touch the cleft, weighted by the smaller of the two contacts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import SupportsInt

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Triple, triple
from connectome.partners.candidates import find_candidates
from connectome.partners.scores import CleftPatch, Patch, Scores, counted_slots
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, read_segments

PATCHES_A_BATCH = 8
MARGIN = 4
"""Beyond a wide cleft a patch's side divided by this is seen."""
LARGEST_SIDES = 4
"""Of an object longer than this many patches, which no cleft is, only the part around its centre is seen."""


@dataclass(frozen=True, kw_only=True)
class PatchReader:
    """Reads what an assigner is shown of clefts.

    Attributes:
        image: uint8, with the assigner's grey values.
        segmentation: on the same working grid.
        clefts: uint64 label volume of that grid.
        shape: voxels (z, y, x) of a patch.
        proximity: the detector's signed proximity in a box, float32 (z, y, x); None: it has none.
    """

    image: GridView
    segmentation: GridView
    clefts: Volume
    shape: Triple
    proximity: Callable[[Box], NDArray[np.float32] | None]

    def box(self, centre: Iterable[SupportsInt], extent: Box) -> Box:
        """What is read of a cleft with its centre at a voxel (z, y, x): a patch, or more if it doesn't fit."""
        return cleft_box(triple(centre), extent, self.shape)

    def read(self, cleft_ids: NDArray[np.integer], seen: Sequence[tuple[Box, Box]]) -> list[CleftPatch]:
        """The patches of clefts, from their ids (n,), and the bounding box and the `box` of each."""
        return [
            CleftPatch(
                image=self.image.read(box),
                segmentation=read_segments(self.segmentation, box),
                mask=self._mask(box, extent.intersect(box), cleft_id),
                proximity=self.proximity(box),
            )
            for cleft_id, (extent, box) in zip(cleft_ids, seen, strict=True)
        ]

    def _mask(self, box: Box, extent: Box, cleft_id: np.integer) -> NDArray[np.bool_]:
        """Where a cleft is, boolean (z, y, x); the labels are read no farther than it reaches."""
        mask = np.zeros(box.shape, bool)
        mask[extent.slices(box.start)] = self.clefts.read(extent) == np.uint64(cleft_id)
        return mask


def batches(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Consecutive slices whose sizes sum up to `most` at the most, or of one that is larger."""
    first, total = 0, 0
    for place, size in enumerate(sizes):
        if place > first and total + size > most:
            yield slice(first, place)
            first, total = place, 0
        total += size
    if first < len(sizes):
        yield slice(first, len(sizes))


@dataclass(frozen=True)
class Window:
    """A patch inside of a larger array: its box there, and the part of that which counts."""

    box: Box
    counted: Box


def cleft_box(centre: Triple, extent: Box, patch_shape: Triple) -> Box:
    """What is read of a cleft: one patch around its centre, or where it doesn't fit, all of it with a margin.

    Args:
        centre: the voxel (z, y, x) of its centroid.
        extent: its bounding box.
        patch_shape: voxels (z, y, x) that the assigner looks at.
    """
    start, stop = [], []
    for c, a, b, side in zip(centre, extent.start, extent.stop, patch_shape, strict=True):
        first, last = c - side // 2, c - side // 2 + side
        if a < first or b > last:
            first, last = min(a - side // MARGIN, first), max(b + side // MARGIN, last)
            most = LARGEST_SIDES * side // 2
            first, last = max(first, c - most), min(last, c + most)
        start.append(first)
        stop.append(last)
    return Box(triple(start), triple(stop))


def windows(shape: Triple, patch_shape: Triple) -> list[Window]:
    """Patches, evenly spread, that cover an array of `shape`; the parts that count cover it exactly once.

    Args:
        shape: voxels (z, y, x), along no axis fewer than the patch's.
        patch_shape: of each window.
    """
    axes = []
    for length, side in zip(shape, patch_shape, strict=True):
        count = -(-length // side)
        starts = [i * (length - side) // max(count - 1, 1) for i in range(count)]
        borders = [0, *((a + side + b) // 2 for a, b in pairwise(starts)), length]
        axes.append([(a, a + side, *ends) for a, ends in zip(starts, pairwise(borders), strict=True)])
    return [
        Window(*(Box(triple(side[i] for side in cell), triple(side[i + 1] for side in cell)) for i in (0, 2)))
        for cell in product(*axes)
    ]


def views(patch: Patch, patch_shape: Triple | None) -> list[Patch]:
    """What is shown to an assigner: the patch itself, or if it is larger than `patch_shape`, windows with the cleft.

    A window's candidates are those of the patch that have voxels which count in it.
    """
    if patch_shape is None or patch.mask.shape == patch_shape:
        return [patch]
    shown = []
    for window in windows(triple(patch.mask.shape), patch_shape):
        part = window.box.slices()
        if patch.mask[part].any():
            view = replace(
                patch,
                image=patch.image[part],
                mask=patch.mask[part],
                segmentation=patch.segmentation[part],
                proximity=None if patch.proximity is None else patch.proximity[part],
                counted=window.counted.shift(triple(-n for n in window.box.start)),
            )
            there = _voxels(view) > 0
            shown.append(replace(view, segment_id=patch.segment_id[there], eligible=patch.eligible[there]))
    return shown


def joined(patch: Patch, shown: Sequence[Patch], scores: Sequence[Scores], dilation: NDArray[np.bool_]) -> Scores:
    """The scores of a patch's candidates from those in its views.

    Args:
        patch: the whole.
        shown: its views.
        scores: of each view.
        dilation: see `candidates.dilation_shape`.
    """
    if len(shown) == 1 and shown[0] is patch:
        return scores[0]
    n = len(patch.segment_id)
    by_pair = any(score.by_pair for score in scores)
    sums, weights = (np.zeros((n, n) if by_pair else (2, n)) for _ in range(2))
    for view, score in zip(shown, scores, strict=True):
        place = np.searchsorted(patch.segment_id, view.segment_id)
        where = np.ix_(place if by_pair else np.arange(2), place)
        contact = _contact(view, dilation)
        weight = np.minimum(contact[:, None], contact[None, :]) if by_pair else np.stack([_voxels(view)] * 2)
        sums[where] += weight * (score.pairs if by_pair else score.roles)
        weights[where] += weight
    means = sums / np.maximum(weights, 1)
    return Scores.of_pairs(means) if by_pair else Scores.of_roles(means.astype(np.float32))


def _voxels(view: Patch) -> NDArray[np.int64]:
    """The number of voxels of each candidate that count: int64 (n,)."""
    slots = counted_slots(view)
    return np.bincount(slots[slots >= 0], minlength=len(view.segment_id))


def _contact(view: Patch, dilation: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The contact of each candidate inside of a view: int64 (n,)."""
    near = find_candidates(view.segmentation, view.mask, dilation)
    contact = np.zeros(len(view.segment_id), np.int64)
    kept = np.isin(near.segment_id, view.segment_id)
    contact[np.searchsorted(view.segment_id, near.segment_id[kept])] = near.contact_voxels[kept]
    return contact
