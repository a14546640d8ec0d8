"""A synthetic EM volume whose connectome is known exactly; every box of it can be made on its own."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from connectome.errors import BoxError
from connectome.geometry import Box, NmTriple, triple
from connectome.phantom.active_zone import resolve_zone
from connectome.phantom.config import PhantomConfig
from connectome.phantom.density import BARE_NM, Density, reach_of
from connectome.phantom.dyadic import resolve_pair
from connectome.phantom.field import Field, compute_field
from connectome.phantom.noise import smooth_noise, white_noise
from connectome.phantom.sections import MAX_SHIFT_VOXELS, section_at, shift_at
from connectome.phantom.sites import Site, SiteKind
from connectome.phantom.texture import Painter, is_myelin
from connectome.phantom.tubes import Tubes
from connectome.phantom.world import World, build_world
from connectome.records import ReferenceSynapse

BLUR_VOXELS, HALO_VOXELS = 0.55, 3
CACHED_DENSITIES = 1024
GLIA_CELL_NM = 5000.0
RUN_VOXELS = 3_000_000


@dataclass(frozen=True, eq=False)
class PhantomBlock:
    """A box of a phantom, all arrays (z, y, x).

    Attributes:
        image: uint8, raw EM.
        segmentation: uint64, segment ids; 0 is membrane and myelin.
        clefts: uint64, cleft ids; 0 is none.
    """

    box: Box
    image: NDArray[np.uint8]
    segmentation: NDArray[np.uint64]
    clefts: NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class PhantomSynapse:
    """A synapse of the phantom: the record others read, and a point (z, y, x) in nm inside each partner."""

    reference: ReferenceSynapse
    pre_nm: NmTriple
    post_nm: NmTriple


class Phantom:
    """A synthetic volume. Making one draws and packs its tissue; its voxels are made when asked for."""

    def __init__(self, config: PhantomConfig) -> None:
        """Draw the tissue of a configuration."""
        self.config = config
        self._world: World = build_world(config)
        self._painter = Painter(self._world, config)
        boxes = [reach_of(site, config) for site in self._world.sites]
        self._site_starts = np.array([box.start for box in boxes], np.int64).reshape(-1, 3)
        self._site_stops = np.array([box.stop for box in boxes], np.int64).reshape(-1, 3)
        self._densities: OrderedDict[int, Density | None] = OrderedDict()
        self._synapses: dict[int, list[PhantomSynapse]] = {}

    def render(self, box: Box) -> PhantomBlock:
        """The voxels of a box of the volume.

        Raises:
            BoxError: the box is empty or reaches out of the volume.
        """
        if box.is_empty or not self.config.box.contains(box):
            raise BoxError(f"box {box} isn't inside the phantom {self.config.box}")
        parts = [self._render_run(run, shift) for run, shift in self._runs(box)]
        image, segmentation = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return PhantomBlock(box, image, segmentation, self._clefts(box))

    def synapses(self) -> list[ReferenceSynapse]:
        """All synapses of the volume by ascending cleft id, then partners; sizes and centroids are the voxels'.

        A polyadic cleft has one for each of its postsynaptic partners.
        """
        return [synapse.reference for synapse in self.located_synapses()]

    def located_synapses(self) -> list[PhantomSynapse]:
        """All synapses of the volume, as in `synapses`, with points in their partners."""
        for number in self._sites_showing_in(self.config.box):
            if number not in self._synapses:
                self._density(number)
        return [synapse for number in sorted(self._synapses) for synapse in self._synapses[number]]

    def _runs(self, box: Box) -> list[tuple[Box, tuple[int, int]]]:
        """The box cut into runs of sections that are shifted alike, short enough for memory to stay small."""
        longest = max(RUN_VOXELS // (box.shape[1] * box.shape[2]), 1)
        runs: list[tuple[Box, tuple[int, int]]] = []
        for z in range(box.start[0], box.stop[0]):
            shift = shift_at(self.config, z)
            if runs and runs[-1][1] == shift and runs[-1][0].shape[0] < longest:
                runs[-1] = (Box(runs[-1][0].start, (z + 1, *box.stop[1:])), shift)
            else:
                runs.append((Box((z, *box.start[1:]), (z + 1, *box.stop[1:])), shift))
        return runs

    def _render_run(self, run: Box, shift: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Image and segmentation of sections whose content is displaced by `shift` voxels (y, x)."""
        unshifted = run.shift((0, -shift[0], -shift[1]))
        wide = unshifted.grow((0, HALO_VOXELS, HALO_VOXELS))
        field = compute_field(wide, self._world.tubes, self.config.resolution_nm, self.config.seed)
        numbers = self._sites_in(wide)
        densities = [density for density in map(self._density, numbers) if density is not None]
        painted = self._painter.paint(field, densities)
        blurred: NDArray[np.float32] = ndimage.gaussian_filter(
            painted, (0, BLUR_VOXELS, BLUR_VOXELS), truncate=HALO_VOXELS / BLUR_VOXELS
        )
        inner = unshifted.slices(wide.start)
        return self._expose(blurred[inner], run), self._segments(field)[inner]

    def _expose(self, painted: NDArray[np.float32], run: Box) -> NDArray[np.uint8]:
        """Grain, brightness and contrast of the sections."""
        config = self.config
        grain = white_noise(run, config.seed + 201)
        shade = smooth_noise(run, (1, 160, 160), config.seed + 202)
        sections = [section_at(config, z) for z in range(run.start[0], run.stop[0])]
        gain, offset, noise, missing = (
            np.array(values, np.float32)[:, None, None]
            for values in zip(*((s.gain, s.offset, s.noise, s.is_missing) for s in sections), strict=True)
        )
        image = (painted - 128) * gain + (128 + offset) + config.section_drift * 10 * shade
        image = np.where(missing > 0, np.float32(0), image + config.noise * 6.5 * noise * grain)
        return np.asarray(np.rint(image).clip(0, 255), np.uint8)

    def _segments(self, field: Field) -> NDArray[np.uint64]:
        """Segment ids: object index + 1, then the cells of the glia, 0 at interfaces and in myelin."""
        objects = len(self._world.kinds)
        counts = triple(self.config.extent_nm // GLIA_CELL_NM) + 3
        ranges = map(np.arange, field.box.start, field.box.stop)
        cells = (each * side // GLIA_CELL_NM for each, side in zip(ranges, self.config.resolution_nm, strict=True))
        z, y, x = (cell.clip(-1, n - 2).astype(np.int64) + 1 for cell, n in zip(cells, counts, strict=True))
        glia = objects + (z[:, None, None] * counts[1] + y[None, :, None]) * counts[2] + x[None, None, :]
        ids = np.where(field.first < 0, glia, field.first.astype(np.int64)) + 1
        ids[(field.edge_nm <= BARE_NM) | is_myelin(field, self._world)] = 0
        return ids.astype(np.uint64)

    def _clefts(self, box: Box) -> NDArray[np.uint64]:
        """Cleft ids of a box."""
        clefts = np.zeros(box.shape, np.uint64)
        for number in self._sites_showing_in(box):
            density = self._density(number)
            if density is not None:
                local = density.cleft_voxels - np.array(box.start)
                inside = np.all((local >= 0) & (local < np.array(box.shape)), axis=1)
                clefts[tuple(local[inside].T)] = density.site.site_id
        return clefts

    def _sites_showing_in(self, box: Box) -> list[int]:
        """Like `_sites_in`, for a box of the volume, whatever the shift of its sections."""
        return self._sites_in(box.grow((0, MAX_SHIFT_VOXELS, MAX_SHIFT_VOXELS)))

    def _sites_in(self, box: Box) -> list[int]:
        """The places in the list of sites of those that may leave something in a box of unshifted voxels."""
        near = (self._site_starts < np.array(box.stop)) & (self._site_stops > np.array(box.start))
        return [int(number) for number in np.flatnonzero(near.all(axis=1))]

    def _density(self, number: int) -> Density | None:
        """The density of a site; the last ones asked for are kept."""
        if number in self._densities:
            self._densities.move_to_end(number)
            return self._densities[number]
        density = _resolve(self._world.sites[number], self._world.tubes, self.config)
        self._densities[number] = density
        self._synapses[number] = self._synapses_of(density)
        if len(self._densities) > CACHED_DENSITIES:
            self._densities.popitem(last=False)
        return density

    def _synapses_of(self, density: Density | None) -> list[PhantomSynapse]:
        """The synapses of one cleft: one for each postsynaptic partner."""
        if density is None or not density.site.is_synapse:
            return []
        z, y, x = (float(v) for v in density.cleft_voxels.mean(axis=0))
        return [
            PhantomSynapse(
                reference=ReferenceSynapse(
                    cleft_id=density.site.site_id,
                    pre_segment_id=density.site.pre + 1,
                    post_segment_id=post + 1,
                    centroid_voxel=(z, y, x),
                    size_voxels=len(density.cleft_voxels),
                ),
                pre_nm=self.config.grid.centre_nm(density.pre_voxel),
                post_nm=self.config.grid.centre_nm(voxel),
            )
            for post, voxel in density.posts.items()
        ]


def _resolve(site: Site, tubes: Tubes, config: PhantomConfig) -> Density | None:
    """The density of a site; None if its contact comes out too small, or outside the volume."""
    field = compute_field(reach_of(site, config), tubes, config.resolution_nm, config.seed)
    match site.kind:
        case SiteKind.SYNAPSE | SiteKind.ADHERENT:
            return resolve_pair(site, field, config)
        case SiteKind.ACTIVE_ZONE:
            return resolve_zone(site, field, config)
