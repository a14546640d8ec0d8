"""The density of one site as it comes out in the volume: its cleft's voxels, its ink and points in its partners.

It is worked out from the site's own surroundings, so it does not depend on the block that is being made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from connectome.geometry import Box, Triple, triple
from connectome.phantom.config import PhantomConfig
from connectome.phantom.field import Field, compute_field
from connectome.phantom.noise import Floats
from connectome.phantom.sections import shift_at
from connectome.phantom.tubes import WARP_BOUND_NM, Tubes
from connectome.phantom.world import Site

Voxels = NDArray[np.int64]
Mask = NDArray[np.bool_]

BARE_NM = 5.4
CLEFT_PRE_NM, CLEFT_POST_NM = -15.0, 35.0
MIN_WHOLE_VOXELS, MIN_CUT_VOXELS = 250, 150
MIN_CONTACT_VOXELS = 8
POINT_DEPTH_NM = 25.0
EVERYWHERE = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, kw_only=True)
class Density:
    """What a site leaves in the volume.

    Attributes:
        cleft_voxels: int64 (voxels, 3), indices (z, y, x) in the volume, in C order; none for an adherent contact.
        ink_voxels: int64 (voxels, 3), indices before sections are shifted.
        ink: float32 (voxels,), darkness from 0 to 1.
        pre_voxel, post_voxel: a voxel inside each partner beside the cleft.
    """

    site: Site
    cleft_voxels: Voxels
    ink_voxels: Voxels
    ink: Floats
    pre_voxel: Triple
    post_voxel: Triple


def reach_of(site: Site, config: PhantomConfig) -> Box:
    """A box of unshifted voxels that holds whatever the site leaves."""
    reach = site.radius_nm + 45.0 + WARP_BOUND_NM
    low = [int((c - reach) // r) for c, r in zip(site.contact_nm, config.resolution_nm, strict=True)]
    high = [int((c + reach) // r) + 1 for c, r in zip(site.contact_nm, config.resolution_nm, strict=True)]
    return Box(triple(low), triple(high))


def resolve(site: Site, tubes: Tubes, config: PhantomConfig) -> Density | None:
    """The density of a site; None if its contact comes out too small, or outside the volume."""
    box = reach_of(site, config)
    field = compute_field(box, tubes, config.resolution_nm, config.seed)
    side, distance, facing = _around(field, site)
    core = facing & (side > CLEFT_PRE_NM) & (side < CLEFT_POST_NM) & (distance < site.radius_nm)
    kept, shifted = _largest(core, box, config)
    if kept is None:
        return None
    reach = ndimage.binary_dilation(kept, np.ones((3, 5, 5), bool))
    inked = facing & reach
    none = triple(box.start)
    pre, post = none, none
    if site.is_synapse:
        found = [_point_in(field, index, kept, distance, config) for index in (site.pre, site.post)]
        if found[0] is None or found[1] is None:
            return None
        pre, post = found[0], found[1]
    ink = _ink(side[inked], distance[inked], site)
    return Density(
        site=site, cleft_voxels=shifted if site.is_synapse else shifted[:0],
        ink_voxels=np.argwhere(inked) + np.array(box.start), ink=ink, pre_voxel=pre, post_voxel=post,
    )  # fmt: skip


def _around(field: Field, site: Site) -> tuple[Floats, Floats, Mask]:
    """Signed distance (nm) to the interface, positive in post; distance (nm) to the contact; where the two face."""
    in_pre, in_post = field.first == site.pre, field.first == site.post
    facing = (in_pre & (field.second == site.post)) | (in_post & (field.second == site.pre))
    side = np.where(in_post, field.edge_nm, -field.edge_nm)
    away = [field.samples.tissue_nm[i] - np.float32(site.contact_nm[i]) for i in range(3)]
    return side, np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2), facing


def _to_volume(voxels: Voxels, config: PhantomConfig) -> tuple[Voxels, Mask]:
    """Indices once sections are shifted, and which of them lie in the volume."""
    moved = voxels.copy()
    for z in np.unique(voxels[:, 0]):
        moved[voxels[:, 0] == z, 1:] += np.array(shift_at(config, int(z)))
    return moved, np.all((moved >= 0) & (moved < np.array(config.shape)), axis=1)


def _largest(core: Mask, box: Box, config: PhantomConfig) -> tuple[Mask | None, Voxels]:
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


def _point_in(field: Field, index: int, kept: Mask, distance: Floats, config: PhantomConfig) -> Triple | None:
    """A voxel well inside a partner near the contact, or None if the partner hardly touches the cleft."""
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


def _ink(side: Floats, distance: Floats, site: Site) -> Floats:
    """Darkness, 0 to 1: a thick fuzzy band on the postsynaptic side and a thin one opposite."""
    thick = 34.0 if site.is_synapse else 14.0
    post = np.clip((thick + 12 - side) / 16, 0, 1) * np.clip((side + 4) / 6, 0, 1)
    pre = 0.6 * np.clip((22 + side) / 10, 0, 1) * np.clip((4 - side) / 6, 0, 1)
    rim = np.clip((site.radius_nm + 8 - distance) / 30, 0, 1)
    return (site.strength * rim * np.maximum(pre, post)).astype(np.float32)
