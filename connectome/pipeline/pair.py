"""Image and segmentation, opened on one working grid and held against each other, without reading voxels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectome.errors import BoxError, ContradictionError, DtypeError
from connectome.geometry import Box, Grid, NmTriple
from connectome.pipeline.request import InputVolumes
from connectome.volumes.grey_values import check_image_dtype
from connectome.volumes.grid_map import GridMap
from connectome.volumes.model_grid import ModelGrid, common_anchor_nm
from connectome.volumes.multiscale import Multiscale, open_multiscale
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind


@dataclass(frozen=True, kw_only=True)
class VolumePair:
    """Image and segmentation as views of one working grid.

    The working grid has the model's pixels and the image's sections (see `ModelGrid`), and begins where the
    segmentation begins.

    Attributes:
        image: grey values as they are stored.
        given_image, given_segmentation: the volumes as they were given, with all their levels.
        box: working voxels to build, or that both volumes have.
        warnings: what looks wrong with them, and may be right.
    """

    image: GridView
    segmentation: GridView
    given_image: Multiscale
    given_segmentation: Multiscale
    box: Box
    warnings: tuple[str, ...] = ()

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm of a working voxel (z, y, x)."""
        return self.segmentation.resolution_nm

    @property
    def offset_nm(self) -> NmTriple:
        """The corner (z, y, x) of working voxel (0, 0, 0)."""
        return self.segmentation.offset_nm

    @property
    def own_voxels(self) -> GridMap:
        """The segmentation's own voxels on the working grid; boxes that users give are in them."""
        return GridMap.of(self.given_segmentation.finest.grid, self.resolution_nm, self.offset_nm)

    @property
    def grid_text(self) -> str:
        """The working grid, and which levels are read, in words."""
        levels = (("image", self.image, self.given_image), ("segmentation", self.segmentation, self.given_segmentation))
        read = [f"{name} {_level_text(view, given)}" for name, view, given in levels]
        return f"{_sides(self.resolution_nm)} nm from {', '.join(read)} (z, y, x)"


def open_pair(volumes: InputVolumes, model: ModelGrid) -> VolumePair:
    """Open image and segmentation and lay one working grid over both.

    Of a volume with several levels the one that fits best is read.

    Args:
        volumes: where they lie, and what of them is built.
        model: what the models see.

    Raises:
        InputError: a volume is missing, has a wrong dtype or resolution; they don't overlap, or only in part where a
            build of that wasn't asked for; the box lies outside of one.
    """
    place = {"resolution_nm": volumes.resolution_nm, "offset_nm": volumes.offset_nm}
    given_image, given_segmentation = (open_multiscale(url, **place) for url in (volumes.image, volumes.segmentation))
    image = best_level(given_image, model)
    working_nm = model.working_nm(image.grid)
    segmentation = best_level(given_segmentation, replace(model, resolution_nm=working_nm))
    check_image_dtype(image.dtype, f"image {volumes.image}")
    if segmentation.dtype.kind not in "ui":
        raise DtypeError(
            f"segmentation {volumes.segmentation} holds {segmentation.dtype}; segment ids must be integers"
        )
    anchor = common_anchor_nm(image.grid, given_segmentation.finest.grid, working_nm)
    seen = GridView(image, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.IMAGE)
    labels = GridView(segmentation, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.LABELS)
    pair = VolumePair(
        image=seen,
        segmentation=labels,
        given_image=given_image,
        given_segmentation=given_segmentation,
        box=seen.box.intersect(labels.box),
    )
    if pair.box.is_empty:
        raise BoxError(f"{_extents(pair)} don't overlap: check their offsets, resolutions and orders of axes")
    if volumes.box is not None:
        return replace(pair, box=working_box(volumes.box, pair))
    return replace(pair, warnings=_overlap_warnings(pair, volumes.overlap))


def best_level(volume: Multiscale, model: ModelGrid) -> Volume:
    """The level of a volume that a model needs: no finer one is read."""
    return volume.levels[model.best_level([level.grid for level in volume.levels])]


def working_box(box: Box, pair: VolumePair) -> Box:
    """A box in voxels of the segmentation as working voxels, widened to whole ones.

    Raises:
        BoxError: it lies outside the segmentation, or the image has nothing of it.
    """
    own = pair.own_voxels
    if not own.box.contains(box):
        raise BoxError(f"box {box} lies outside the segmentation {pair.given_segmentation.url}, which has {own.box}")
    asked = own.working(box).intersect(own.covered)
    working = asked.intersect(pair.image.box).intersect(pair.segmentation.box)
    if working != asked or working.is_empty:
        raise BoxError(
            f"image {pair.given_image.url} doesn't cover the box {box}: of {asked} (working voxels) it has "
            f"{'none' if working.is_empty else working}"
        )
    return working


def _overlap_warnings(pair: VolumePair, overlap: bool) -> tuple[str, ...]:
    """What to tell where one volume goes on without the other, by more than a working voxel.

    Raises:
        ContradictionError: each goes on where the other doesn't, and a build of what they share wasn't asked for.
    """
    image, segmentation = pair.given_image.finest.grid, pair.given_segmentation.finest.grid
    image_goes_on = _goes_beyond(image, segmentation, pair.resolution_nm)
    segmentation_goes_on = _goes_beyond(segmentation, image, pair.resolution_nm)
    if overlap or not (image_goes_on or segmentation_goes_on):
        return ()
    hint = _order_hint(image, segmentation)
    if image_goes_on and segmentation_goes_on:
        raise ContradictionError(f"{_extents(pair)} overlap only in part{hint}", about="overlap")
    return (f"{_extents(pair)} differ: only what both have is built{hint}",)


def _goes_beyond(one: Grid, other: Grid, tolerance_nm: NmTriple) -> bool:
    ends = zip(one.offset_nm, one.stop_nm, other.offset_nm, other.stop_nm, tolerance_nm, strict=True)
    return any(c - a >= tolerance or b - d >= tolerance for a, b, c, d, tolerance in ends)


def _order_hint(image: Grid, segmentation: Grid) -> str:
    if image.shape == segmentation.shape or sorted(image.shape) != sorted(segmentation.shape):
        return ""
    shapes = " and ".join("x".join(map(str, grid.shape)) for grid in (image, segmentation))
    return f"; their shapes {shapes} (z, y, x) are the same numbers in another order: check the order of axes"


def _extents(pair: VolumePair) -> str:
    image, segmentation = pair.given_image, pair.given_segmentation
    return f"image {image.url} ({image.finest.grid}) and segmentation {segmentation.url} ({segmentation.finest.grid})"


def _level_text(view: GridView, given: Multiscale) -> str:
    """The voxels that are read, and the level where there are several."""
    volume, count = view.volume, len(given.levels)
    sides = _sides(volume.grid.resolution_nm)
    place = next(i for i, level in enumerate(given.levels, 1) if level is volume)
    return sides if count == 1 else f"{sides}, level {place} of {count}"


def _sides(lengths_nm: NmTriple) -> str:
    return "x".join(f"{length:g}" for length in lengths_nm)
