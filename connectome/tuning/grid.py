"""Scores over a grid of parameters, and the rule that picks one cell of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from connectome.errors import ConfigError
from connectome.pipeline.parameters import AXES, PARAMETERS

TIE = 0.005  # F1 that is no difference: less than one synapse in a hundred
Index = tuple[int, ...]
Cell = Mapping[str, Any]
"""One combination: values of the parameters that are tried, by name. All others are what the models recommend."""


@dataclass(frozen=True)
class ParameterGrid:
    """The values that are tried of each parameter, ascending; every combination is a cell.

    Attributes:
        tried: by the names of `AXES`; a parameter that isn't in it stays as the models recommend it.
    """

    tried: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        """Refuse values that no build takes, and values that don't ascend.

        Raises:
            ConfigError: names the value.
        """
        for name, values in self.tried.items():
            for value in values:
                PARAMETERS[name].check(value)
            if not values or any(a >= b for a, b in pairwise(values)):
                raise ConfigError(
                    f"the values of {PARAMETERS[name].words} to try, {list(values)}, must ascend, and there must be one"
                )

    @classmethod
    def usual(cls, *, polyadic: bool = False) -> ParameterGrid:
        """The values in the table of parameters for a mode."""
        rows = {name: PARAMETERS[name] for name in AXES}
        values = {name: row.tried_polyadic if polyadic else row.tried for name, row in rows.items()}
        return cls({name: tried for name, tried in values.items() if tried})

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each parameter, in the order of `AXES`; 1 where none are tried."""
        return tuple(len(self.tried.get(axis, (None,))) for axis in AXES)

    def cell(self, index: Index) -> Cell:
        """The parameters at an index."""
        return {axis: self.tried[axis][i] for axis, i in zip(AXES, index, strict=True) if axis in self.tried}

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
    all cells at most one step away on every axis. Of equals there, the lowest value of each parameter that its lowest
    turns off (the last of them in `AXES` first), then the one nearest to the middle of what is left, then the first.

    Args:
        f1: float64, of the grid's shape.
    """
    near = partial(uniform_filter, size=3, mode="constant", cval=0.0)
    around: NDArray[np.float64] = near(f1) / near(np.ones_like(f1))
    equals = np.argwhere(f1 >= f1.max() - TIE)
    value = np.round(around[tuple(equals.T)], 9)
    equals = equals[value == value.max()]
    for axis in reversed([i for i, name in enumerate(AXES) if PARAMETERS[name].lowest_is_off]):
        equals = equals[equals[:, axis] == equals[:, axis].min()]
    apart = (np.abs(equals - (equals.min(0) + equals.max(0)) / 2) / np.array(f1.shape)).sum(1)
    return tuple(int(i) for i in equals[int(np.round(apart, 9).argmin())])
