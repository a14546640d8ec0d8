"""Tissue out of place: sections that an aligner put wrongly, and smooth in-plane deformation. Arrays are (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, zoom

from connectome.geometry import Triple
from connectome.training.samples.augment import MARGIN, Augmentation

NODE_SPACING = 24
"""Voxels between the nodes of an elastic displacement."""


@dataclass(frozen=True, kw_only=True)
class Deformation:
    """Where each voxel of a sample comes from, in arrays that are MARGIN wider on each in-plane side.

    Attributes:
        shape: the sample's (z, y, x), in voxels.
        shifts: int64 (z, 2), how far (y, x) each section is moved.
        field: float32 (2, y, x), displacements along y and x that all sections share; None: none. Nowhere do field and
            shift together leave the margin.
    """

    shape: Triple
    shifts: NDArray[np.int64]
    field: NDArray[np.float32] | None = None

    @classmethod
    def none(cls, shape: Triple) -> Deformation:
        """Everything stays where it is."""
        return cls(shape=shape, shifts=np.zeros((shape[0], 2), np.int64))

    @classmethod
    def draw(cls, shape: Triple, how: Augmentation, generator: np.random.Generator) -> Deformation:
        """A random deformation."""
        shifts = section_shifts(shape[0], how, generator)
        field = displacements(shape[1:], how, generator) if generator.random() < how.warped else None
        if field is not None:
            reach = MARGIN - 1 - np.abs(shifts).max()
            field *= np.float32(min(1.0, max(reach, 0) / max(float(np.abs(field).max()), 1e-6)))
        return cls(shape=shape, shifts=shifts, field=field)

    def of_image(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply it to continuous values, by linear interpolation."""
        if self.field is None:
            return self._moved(array)
        rows, columns = self._origins(self.field)
        out = np.empty(self.shape, np.float32)
        for z, (y, x) in enumerate(self.shifts):
            map_coordinates(array[z], (rows + y, columns + x), out[z], order=1, prefilter=False)
        return out

    def of_labels(self, array: NDArray[Any]) -> NDArray[Any]:
        """Apply it to masks or ids of any dtype: each voxel takes the value of the nearest."""
        if self.field is None:
            return self._moved(array)
        rows, columns = (np.rint(origin).astype(np.intp) for origin in self._origins(self.field))
        return np.stack([array[z][rows + y, columns + x] for z, (y, x) in enumerate(self.shifts)])

    def _moved(self, array: NDArray[Any]) -> NDArray[Any]:
        _, height, width = self.shape
        corners = self.shifts + MARGIN
        return np.stack([array[z, y : y + height, x : x + width] for z, (y, x) in enumerate(corners)])

    def _origins(self, field: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows, columns = np.ogrid[: self.shape[1], : self.shape[2]]
        return field[0] + (rows + MARGIN).astype(np.float32), field[1] + (columns + MARGIN).astype(np.float32)


def section_shifts(depth: int, how: Augmentation, generator: np.random.Generator) -> NDArray[np.int64]:
    """In-plane shifts (depth, 2) of a misalignment: of one section (slip) or of all from one on (translation)."""
    shifts = np.zeros((depth, 2), np.int64)
    if depth > 1 and generator.random() < how.misaligned:
        section = int(generator.integers(1, depth))
        by = generator.integers(-how.shift, how.shift + 1, 2)
        shifts[section : section + 1 if generator.random() < 0.5 else depth] = by
    return shifts


def displacements(shape: tuple[int, int], how: Augmentation, generator: np.random.Generator) -> NDArray[np.float32]:
    """Smooth displacements (2, y, x) in voxels: a turn and changes of size about the middle, plus an elastic part.

    The elastic part has random displacements on nodes 24 voxels apart and cubic splines between them.
    """
    angle = np.deg2rad(how.rotation_degrees) * generator.uniform(-1, 1)
    size = np.exp(np.log1p(how.scale) * generator.uniform(-1, 1))
    y, x = np.ogrid[: shape[0], : shape[1]]
    y, x = y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2
    cosine, sine = size * np.cos(angle) - 1, size * np.sin(angle)
    affine = np.stack([cosine * y - sine * x, sine * y + cosine * x])
    if how.stretch > 0:
        affine += _stretch(y, x, how, generator)
    nodes = [n // NODE_SPACING + 2 for n in shape]
    deviation = how.elastic * generator.random()
    coarse = deviation * generator.standard_normal((2, *nodes))
    factors = (1, *(n / k for n, k in zip(shape, nodes, strict=True)))
    elastic = zoom(coarse, factors, order=3, mode="nearest", grid_mode=True)
    return (affine + elastic).astype(np.float32)


def _stretch(
    y: NDArray[np.float64], x: NDArray[np.float64], how: Augmentation, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Displacements (2, y, x) that change the size along one random direction; y (n, 1), x (1, n): from the middle."""
    angle = np.pi * generator.random()
    change = np.exp(np.log1p(how.stretch) * generator.uniform(-1, 1)) - 1
    along = change * (np.cos(angle) * y + np.sin(angle) * x)
    return np.stack([np.cos(angle) * along, np.sin(angle) * along])
