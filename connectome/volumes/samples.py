"""Pieces of image and segmentation, looked at before a build: a digest of them, and whether they contradict each other.

The pieces are always the same ones, spread evenly over what is built. Their statistics tell EM images from labels by a
wide margin (measured on five public volumes: 1 to 5 % of the neighbours in an image are equal, 82 to 99 % in labels),
and a digest tells whether a volume is still the one that it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ContradictionError, StorageError
from connectome.geometry import Box
from connectome.volumes.grey_values import sample_boxes
from connectome.volumes.working_grid import GridView, read_segments

DIGITS = 4
UNREADABLE = "-" * DIGITS
MOST_EQUAL_OF_IMAGES = 0.75
LEAST_EQUAL_OF_LABELS = 0.4
LEAST_PAIRS = 2_000
"""Fewer neighbours tell nothing."""
LEAST_BORDER = 2_000
LEAST_CONTRAST = 0.1
"""Of its deviation an image is at least so much darker where segments meet: by 0.7 to 1.3 in five public volumes."""
SECTION_RATIO = 2.0
"""From this ratio of section distance to pixel on, neighbours in different sections differ more than those in one."""
PERMUTED_RATIO = 1.3


@dataclass(frozen=True, kw_only=True)
class InputSamples:
    """Findings in pieces of an image and of its segmentation.

    Attributes:
        digests: of both, `DIGITS` for each piece, `UNREADABLE` where it couldn't be read.
        refusals: why they can't be what they are given as. doubts: what looks wrong and may be right.
    """

    digests: dict[str, str]
    refusals: list[str]
    doubts: list[str]

    def require(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ContradictionError: says why.
        """
        if self.refusals:
            raise ContradictionError("; ".join(self.refusals))


def changed_inputs(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Which of image and segmentation shows other voxels than before, in a piece that could be read both times."""
    return [name for name, digest in before.items() if name in now and _differ(digest, now[name])]


def _differ(before: str, now: str) -> bool:
    pairs = zip(_pieces(before), _pieces(now), strict=False)
    return len(before) != len(now) or any(a != b and UNREADABLE not in (a, b) for a, b in pairs)


def _pieces(digest: str) -> list[str]:
    return [digest[i : i + DIGITS] for i in range(0, len(digest), DIGITS)]


def look_at(image: GridView, segmentation: GridView, box: Box) -> InputSamples:
    """Read the pieces of a box and judge them.

    Args:
        image: uint8 or uint16.
        segmentation: on the same working grid.
        box: working voxels that both have.

    Raises:
        SegmentIdError: an id of 2^63 or more, or below 0.
    """
    digests = {"image": "", "segmentation": ""}
    seen, labels, borders = Texture(), Texture(), _Borders()
    for digest, grey, ids in _read(image, segmentation, box):
        for name, own in digest.items():
            digests[name] += own
        if grey is not None:
            seen.add(grey)
        if ids is not None:
            labels.add(ids)
        if grey is not None and ids is not None:
            borders.add(grey, ids)
    return InputSamples(
        digests=digests,
        refusals=_refusals(image, segmentation, seen, labels),
        doubts=_doubts(image, segmentation, seen, borders),
    )


def _read(
    image: GridView, segmentation: GridView, box: Box
) -> Iterator[tuple[dict[str, str], NDArray[Any] | None, NDArray[Any] | None]]:
    """The digests, the grey values and the ids of each piece; None where it can't be read, which the blocks tell."""
    for piece in sample_boxes(box):
        digests: dict[str, str] = {}
        found: list[NDArray[Any] | None] = []
        for name, view in (("image", image), ("segmentation", segmentation)):
            try:
                digests[name] = _digest(view, piece)
                found.append(read_segments(view, piece) if view is segmentation else view.read(piece))
            except StorageError:
                digests[name] = UNREADABLE
                found.append(None)
        yield digests, found[0], found[1]


def _digest(view: GridView, piece: Box) -> str:
    """Of the volume's own voxels: it doesn't depend on how they are resampled."""
    voxels = view.volume.read(view.map.voxels(piece).intersect(view.volume.box))
    return hashlib.blake2b(np.ascontiguousarray(voxels).tobytes(), digest_size=DIGITS // 2).hexdigest()


@dataclass
class Texture:
    """The likeness of neighbouring voxels along z, y and x; padding and saturation left out.

    Attributes:
        pairs: of neighbours. equal: how many of them are. steps: the sum of their differences.
    """

    pairs: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))
    equal: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))
    steps: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def add(self, array: NDArray[Any]) -> None:
        """Count the neighbours in an array (z, y, x) of integers."""
        known = array != 0
        if array.dtype.itemsize <= 2:
            known &= array != np.iinfo(array.dtype).max
        for axis in range(3):
            first, second = _neighbours(array, axis)
            both = np.logical_and(*_neighbours(known, axis))
            first, second = first[both], second[both]
            self.pairs[axis] += len(first)
            self.equal[axis] += np.count_nonzero(first == second)
            self.steps[axis] += np.abs(first.astype(np.float64) - second.astype(np.float64)).sum()

    @property
    def equal_share(self) -> float | None:
        """The share of neighbours in the section that are equal; None: too few were seen, or all are one value."""
        pairs, equal = int(self.pairs[1:].sum()), int(self.equal[1:].sum())
        return None if pairs < LEAST_PAIRS or equal == pairs else equal / pairs

    @property
    def mean_steps(self) -> NDArray[np.float64] | None:
        """How much neighbours differ along z, y and x on average, float64 (3,); None: too few were seen."""
        return None if self.pairs.min() < LEAST_PAIRS else self.steps / self.pairs


def _neighbours(array: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    before = (slice(None),) * axis
    return array[(*before, slice(None, -1))], array[(*before, slice(1, None))]


@dataclass
class _Borders:
    """Grey values where segments meet, and inside of them."""

    count: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    squares: float = 0.0

    def add(self, grey: NDArray[Any], ids: NDArray[Any]) -> None:
        border = np.zeros(ids.shape, bool)
        for axis in (1, 2):
            first, second = _neighbours(ids, axis)
            for side in _neighbours(border, axis):
                side |= first != second
        for place, where in enumerate((border & (grey != 0), ~border & (ids != 0) & (grey != 0))):
            values = grey[where].astype(np.float64)
            self.count[place] += len(values)
            self.total[place] += values.sum()
            self.squares += (values**2).sum()

    @property
    def contrast(self) -> float | None:
        """How much darker borders are, in deviations of the grey values; None: too few were seen."""
        if self.count.min() < LEAST_BORDER:
            return None
        mean = self.total.sum() / self.count.sum()
        deviation = max(self.squares / self.count.sum() - mean**2, 1e-9) ** 0.5
        border, inside = self.total / self.count
        return float((inside - border) / deviation)


def _refusals(image: GridView, segmentation: GridView, seen: Texture, labels: Texture) -> list[str]:
    names = f"image {image.volume.url}", f"segmentation {segmentation.volume.url}"
    grey, ids = seen.equal_share, labels.equal_share
    # An image of one grey value shows nothing, which is another error.
    is_labels = grey is not None and grey > MOST_EQUAL_OF_IMAGES and bool(seen.steps.any())
    is_image = ids is not None and ids < LEAST_EQUAL_OF_LABELS
    if is_labels and is_image:
        return [f"{names[0]} looks like labels and {names[1]} like an image: they are swapped"]
    found = []
    if is_labels:
        found.append(f"{names[0]} looks like labels: {grey:.0%} of its neighbouring pixels are equal, not a few")
    if is_image:
        found.append(f"{names[1]} looks like an image: only {ids:.0%} of its neighbouring voxels have the same id")
    return found


def _doubts(image: GridView, segmentation: GridView, seen: Texture, borders: _Borders) -> list[str]:
    found = []
    steps, (section, *pixels) = seen.mean_steps, image.resolution_nm
    if steps is not None and section >= SECTION_RATIO * max(pixels) and steps[1:].max() > PERMUTED_RATIO * steps[0]:
        axis = "yx"[int(steps[1:].argmax())]
        found.append(
            f"image {image.volume.url} changes more along {axis} than from section to section: check the order of its "
            "axes"
        )
    contrast = borders.contrast
    if contrast is not None and contrast < LEAST_CONTRAST:
        found.append(
            f"image {image.volume.url} isn't darker where segments of {segmentation.volume.url} meet: check that both "
            "show the same place, in the same order of axes"
        )
    return found
