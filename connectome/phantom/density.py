"""The density of one site as it comes out in the volume, and how its cleft is cut out of the site's surroundings.

It is worked out from the site's own surroundings, so it does not depend on the block that is being made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from connectome.geometry import Box, Triple, Vector, triple
from connectome.phantom.config import PhantomConfig
from connectome.phantom.field import Field
from connectome.phantom.noise import Floats
from connectome.phantom.sections import shift_at
from connectome.phantom.sites import Site
from connectome.phantom.tubes import WARP_BOUND_NM

Voxels = NDArray[np.int64]
Mask = NDArray[np.bool_]

BARE_NM = 5.4
MIN_WHOLE_VOXELS, MIN_CUT_VOXELS = 250, 150
MIN_CONTACT_VOXELS = 8
POINT_DEPTH_NM = 25.0
EVERYWHERE = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, kw_only=True)
class Density:
    """The traces of a site in the volume.

    Attributes:
        cleft_voxels: int64 (voxels, 3), indices (z, y, x) in the volume, in C order; none for an adherent contact.
        ink_voxels: int64 (voxels, 3), indices before sections are shifted.
        ink: float32 (voxels,), darkness from 0 to 1.
        pre_voxel: a voxel inside the presynaptic partner beside the cleft.
        posts: object index -> a voxel inside it beside the cleft, for each postsynaptic partner, ascending.
    """

    site: Site
    cleft_voxels: Voxels
    ink_voxels: Voxels
    ink: Floats
    pre_voxel: Triple
    posts: dict[int, Triple]


def reach_of(site: Site, config: PhantomConfig) -> Box:
    """A box of unshifted voxels that holds whatever the site leaves."""
    reach = site.radius_nm + 45.0 + WARP_BOUND_NM
    contact = Vector(site.contact_nm)
    low, high = (triple(corner // config.resolution_nm) for corner in (contact - reach, contact + reach))
    return Box(low, high + 1)


def distance_to_contact(field: Field, site: Site) -> Floats:
    """How far (nm) each voxel of a field lies from the middle of a site, float32 (z, y, x)."""
    away = [field.samples.tissue_nm[i] - np.float32(site.contact_nm[i]) for i in range(3)]
    distance: Floats = np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
    return distance


def largest_in_volume(core: Mask, box: Box, config: PhantomConfig) -> tuple[Mask | None, Voxels]:
    """The largest part of a mask that is one object in the volume: as a mask and as indices in the volume."""
    voxels = np.argwhere(core)
    moved, inside = _to_volume(voxels + np.array(box.start), config)
    cut = not inside.all()
    voxels, moved = voxels[inside], moved[inside]
    least = MIN_CUT_VOXELS if cut else MIN_WHOLE_VOXELS
    if len(voxels) < least:
        return None, moved
    low = moved.min(axis=0)
    canvas = np.zeros(moved.max(axis=0) - low + 1, bool)
    canvas[tuple((moved - low).T)] = True
    labels, _ = ndimage.label(canvas, EVERYWHERE)
    own = labels[tuple((moved - low).T)]
    sizes = np.bincount(own)
    chosen = own == int(np.argmax(sizes))
    if int(chosen.sum()) < least:
        return None, moved
    kept = np.zeros_like(core)
    kept[tuple(voxels[chosen].T)] = True
    return kept, moved[chosen]


def point_in(field: Field, index: int, kept: Mask, distance: Floats, config: PhantomConfig) -> Triple | None:
    """A voxel well inside a partner near the contact, or None if the partner hardly touches the cleft.

    Args:
        field: the site's surroundings.
        index: the partner's object.
        kept: boolean (z, y, x), the cleft.
        distance: float32 (z, y, x), distance to the middle of the contact.
        config: of the phantom.
    """
    own = (field.first == index) & (field.edge_nm > BARE_NM)
    beside = ndimage.binary_dilation(kept, np.ones((1, 5, 5), bool)) & own
    inside = _to_volume(np.argwhere(beside) + np.array(field.box.start), config)[1]
    if int(inside.sum()) < MIN_CONTACT_VOXELS:
        return None
    deep = np.argwhere(own & (field.edge_nm > POINT_DEPTH_NM))
    moved, inside = _to_volume(deep + np.array(field.box.start), config)
    if not inside.any():
        return None
    nearest = int(np.argmin(np.where(inside, distance[tuple(deep.T)], np.inf)))
    return triple(moved[nearest])


def _to_volume(voxels: Voxels, config: PhantomConfig) -> tuple[Voxels, Mask]:
    """Indices once sections are shifted, and which of them lie in the volume."""
    moved = voxels.copy()
    for z in np.unique(voxels[:, 0]):
        moved[voxels[:, 0] == z, 1:] += np.array(shift_at(config, int(z)))
    return moved, np.all((moved >= 0) & (moved < np.array(config.shape)), axis=1)
