"""For which voxels a model was trained, and the working grid on which it sees a volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from connectome.geometry import Grid, NmTriple
from connectome.volumes.grid_map import SHIFT_TOLERANCE

FAR = 1.6
"""Beyond the trained range by this ratio a model's answers are worth little (measured: docs/how-it-works.md)."""
WHOLE = 1e-3
"""A ratio of resolutions that is whole up to this share is whole."""
FINER = 1.01
"""A level whose voxels are longer than needed by less than this ratio is fine enough."""


@dataclass(frozen=True, kw_only=True)
class ModelGrid:
    """The voxels that a model sees, and those of the volumes that it was trained for.

    Attributes:
        resolution_nm: nm of a voxel (z, y, x) that the network is shown.
        pixel_nm: smallest and largest pixel of an image that may be brought to that.
        section_nm: smallest and largest distance of sections.
    """

    resolution_nm: NmTriple
    pixel_nm: tuple[float, float]
    section_nm: tuple[float, float]

    def working_nm(self, image: Grid) -> NmTriple:
        """The working voxel (z, y, x) for an image: the model's pixel, and sections as they are, or whole groups."""
        return self._section_nm(image.resolution_nm[0]), *self.resolution_nm[1:]

    def _section_nm(self, spacing_nm: float) -> float:
        wanted = self.resolution_nm[0]
        count = max(round(wanted / spacing_nm), 1)
        if abs(wanted / spacing_nm - count) <= WHOLE * count:
            return wanted
        if spacing_nm >= self.section_nm[0]:
            return spacing_nm
        counts = range(1, math.ceil(self.section_nm[1] / spacing_nm) + 1)
        nearest = min(counts, key=lambda n: abs(math.log(n * spacing_nm / wanted)))
        return round(nearest * spacing_nm, 6)

    def best_level(self, levels: Sequence[Grid]) -> int:
        """Which level of a multiscale volume to read: the coarsest that isn't coarser than needed.

        Args:
            levels: finest first.
        """
        sections = max(self.section_nm[1], levels[0].resolution_nm[0])
        limits = (sections, *self.resolution_nm[1:])
        fine_enough = [
            place
            for place, level in enumerate(levels)
            if all(side <= FINER * limit for side, limit in zip(level.resolution_nm, limits, strict=True))
        ]
        return fine_enough[-1] if fine_enough else 0

    def concerns(self, image: Grid) -> list[str]:
        """What of an image's voxels the model wasn't trained for, a sentence each."""
        pixel, section = max(image.resolution_nm[1:]), self.working_nm(image)[0]
        found = []
        if not self.pixel_nm[0] <= min(image.resolution_nm[1:]) <= pixel <= self.pixel_nm[1]:
            found.append(
                f"pixels of {_sides(image.resolution_nm[1:])} nm, the model was trained for {_span(self.pixel_nm)}"
            )
        if not self.section_nm[0] <= section <= self.section_nm[1]:
            found.append(f"sections {section:g} nm apart, the model was trained for {_span(self.section_nm)}")
        return found

    def is_far(self, image: Grid) -> bool:
        """True if the image's voxels are so much coarser than those of training that a model can't be trusted."""
        pixel, section = max(image.resolution_nm[1:]), self.working_nm(image)[0]
        return pixel > FAR * self.pixel_nm[1] or section > FAR * self.section_nm[1]


def common_anchor_nm(image: Grid, segmentation: Grid, working_nm: NmTriple) -> NmTriple:
    """The corner (z, y, x) of working voxel (0, 0, 0): where the segmentation begins.

    Where that is between two voxels of an image that aren't larger than working ones, it is where the next one begins,
    so that an image which needn't be resampled isn't.
    """
    given = zip(image.offset_nm, image.resolution_nm, segmentation.offset_nm, working_nm, strict=True)
    z, y, x = (
        begin if voxel > working * (1 + WHOLE) or _is_whole((begin - offset) / voxel) else _next(offset, voxel, begin)
        for offset, voxel, begin, working in given
    )
    return z, y, x


def _is_whole(shift: float) -> bool:
    return abs(shift - round(shift)) <= SHIFT_TOLERANCE


def _next(offset_nm: float, voxel_nm: float, begin_nm: float) -> float:
    return round(offset_nm + math.ceil((begin_nm - offset_nm) / voxel_nm) * voxel_nm, 6)


def _span(lengths_nm: Sequence[float]) -> str:
    return "{:g} to {:g} nm".format(*lengths_nm)


def _sides(lengths_nm: Sequence[float]) -> str:
    return "x".join(f"{length:g}" for length in lengths_nm)
