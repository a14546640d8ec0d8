"""Which parameters to choose: scores over a grid, and the rule that picks one cell of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

TIE = 0.005  # F1 that is no difference: less than one synapse in a hundred
AXES = (
    "threshold",
    "min_size_voxels",
    "dilation_nm",
    "duplicate_distance_nm",
    "min_score",
    "min_contact",
    "pre_threshold",
    "post_threshold",
)
Index = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of parameters, as `BuildRequest` names them; None: what the assigner recommends."""

    threshold: float
    min_size_voxels: int
    dilation_nm: float
    duplicate_distance_nm: float
    min_score: float
    min_contact: float | None = None
    pre_threshold: float | None = None
    post_threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class ParameterGrid:
    """The values that are tried of each parameter, ascending; every combination is a cell. None stands alone."""

    threshold: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    min_size_voxels: tuple[int, ...] = (50, 100, 150, 200, 300, 400)
    dilation_nm: tuple[float, ...] = (36.0, 48.0, 60.0)
    duplicate_distance_nm: tuple[float, ...] = (0.0, 250.0, 500.0, 1000.0)
    min_score: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4)
    min_contact: tuple[float | None, ...] = (None,)
    pre_threshold: tuple[float | None, ...] = (None,)
    post_threshold: tuple[float | None, ...] = (None,)

    @classmethod
    def polyadic(cls) -> ParameterGrid:
        """What is tried in the polyadic mode: what decides about further partners, in place of what is off anyway."""
        return cls(
            duplicate_distance_nm=(0.0,),
            min_score=(0.0,),
            min_contact=(0.0, 0.05, 0.1, 0.2),
            pre_threshold=(0.5, 0.7, 0.9),
            post_threshold=(0.05, 0.1, 0.2, 0.3, 0.5),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each parameter, in the order of `AXES`."""
        return tuple(len(getattr(self, axis)) for axis in AXES)

    def cell(self, index: Index) -> Cell:
        """The parameters at an index."""
        return Cell(**{axis: getattr(self, axis)[i] for axis, i in zip(AXES, index, strict=True)})

    def __iter__(self) -> Iterator[Index]:
        return itertools.product(*map(range, self.shape))


def f1_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 over the last axis (true positives, predicted, annotated); 0 where there is nothing to divide by."""
    true, predicted, annotated = np.moveaxis(counts, -1, 0)
    return np.where(predicted + annotated > 0, 2 * true / np.maximum(predicted + annotated, 1), 0.0)


def precision_recall(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall over the last axis (true positives, predicted, annotated); 0 where one is undefined."""
    true, predicted, annotated = np.moveaxis(counts, -1, 0)
    return true / np.maximum(predicted, 1), true / np.maximum(annotated, 1)


@dataclass(frozen=True, kw_only=True)
class TunedGrid:
    """Scores of every cell on every volume.

    Attributes:
        counts: int64 (volumes, *grid.shape, 3): true positives, predicted, annotated.
        weights: float64 (volumes,), how much each volume's F1 counts.
    """

    grid: ParameterGrid
    counts: NDArray[np.int64]
    weights: NDArray[np.float64]

    @property
    def f1(self) -> NDArray[np.float64]:
        """The weighted mean of the volumes' F1, float64 of the grid's shape: a small volume counts as a large one."""
        return np.asarray(np.average(f1_of(self.counts), axis=0, weights=self.weights))

    def counts_at(self, index: Index) -> NDArray[np.int64]:
        """True positives, predicted, annotated of each volume at a cell: int64 (volumes, 3)."""
        return np.asarray(np.moveaxis(self.counts, 0, -2)[index])

    def chosen(self) -> Index:
        """The index to use: see `choose`."""
        return choose(self.f1)


def choose(f1: NDArray[np.float64]) -> Index:
    """The cell to use of a grid with the axes of `AXES`.

    Cells within `TIE` of the best are equals. Of them, the one in the best neighbourhood is chosen: the mean F1 over
    all cells at most one step away on every axis. Of equals there, the smallest minimum score, then the smallest
    duplicate distance (0 is off), then the one nearest to the middle of what is left, then the first.

    Args:
        f1: float64, of the grid's shape.
    """
    sides = {"size": 3, "mode": "constant", "cval": 0.0}
    around = uniform_filter(f1, **sides) / uniform_filter(np.ones_like(f1), **sides)
    equals = np.argwhere(f1 >= f1.max() - TIE)
    value = np.round(around[tuple(equals.T)], 9)
    equals = equals[value == value.max()]
    for axis in (4, 3):
        equals = equals[equals[:, axis] == equals[:, axis].min()]
    apart = (np.abs(equals - (equals.min(0) + equals.max(0)) / 2) / np.array(f1.shape)).sum(1)
    return tuple(int(i) for i in equals[int(np.round(apart, 9).argmin())])
