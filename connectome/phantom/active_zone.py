"""The density of an insect's active zone: a T-bar in the bouton, and one cleft between it and all that face it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from connectome.geometry import Triple
from connectome.phantom.config import PhantomConfig
from connectome.phantom.density import Density, Mask, Voxels, distance_to_contact, largest_in_volume, point_in
from connectome.phantom.field import Field
from connectome.phantom.noise import Floats
from connectome.phantom.sites import Site

CLEFT_PRE_NM, CLEFT_POST_NM = -15.0, 26.0
MIN_PARTNERS, MAX_PARTNERS = 2, 6
MIN_SHARE_NM3 = 220_000.0
"""The least part of a cleft that belongs to one partner: an interface of about 75 by 75 nm."""
PEDESTAL_NM, PEDESTAL_RADIUS_NM = 56.0, 30.0
PLATFORM_NM, PLATFORM_HALF_NM, PLATFORM_SHARE = 62.0, 18.0, 0.48
NOBODY = -2


@dataclass(frozen=True)
class _Facing:
    """Voxels around a zone, all (z, y, x).

    Attributes:
        other: int32, the object that faces the bouton here: the one a voxel lies in, or the nearest from the bouton.
        side: float32, distance (nm) to the interface with the bouton, positive outside of it.
        distance: float32, distance (nm) to the middle of the zone.
        core: boolean, where the cleft may be.
    """

    other: NDArray[np.int32]
    side: Floats
    distance: Floats
    core: Mask


def resolve_zone(site: Site, field: Field, config: PhantomConfig) -> Density | None:
    """The density of an active zone; None if too little faces it, or too little lies in the volume.

    Its partners are those that face it with at least `MIN_SHARE_NM3` of cleft, at most `MAX_PARTNERS`.
    """
    facing = _facing(field, site)
    found = _partners(facing, site, field, config)
    if found is None:
        return None
    cleft, shifted, posts = found
    pre = point_in(field, site.pre, cleft, facing.distance, config)
    if pre is None:
        return None
    ink = _ink(facing, np.isin(facing.other, list(posts)), cleft, site)
    np.maximum(ink, _t_bar(facing, cleft, site, field), out=ink)
    return Density(
        site=site,
        cleft_voxels=shifted,
        ink_voxels=np.argwhere(ink > 0) + np.array(field.box.start),
        ink=ink[ink > 0],
        pre_voxel=pre,
        posts=posts,
    )


def _facing(field: Field, site: Site) -> _Facing:
    in_pre = field.first == site.pre
    beside = (field.second == site.pre) & (field.first >= 0)
    other = np.where(in_pre, field.second, np.where(beside, field.first, np.int32(NOBODY)))
    side = np.where(in_pre, -field.edge_nm, field.edge_nm)
    distance = distance_to_contact(field, site)
    core = (other >= 0) & (side > CLEFT_PRE_NM) & (side < CLEFT_POST_NM) & (distance < site.radius_nm)
    return _Facing(other, side, distance, core)


def _partners(
    facing: _Facing, site: Site, field: Field, config: PhantomConfig
) -> tuple[Mask, Voxels, dict[int, Triple]] | None:
    """The cleft as a mask and as indices in the volume, and a point in each partner; None with too few partners.

    Whoever doesn't keep enough of the one connected cleft is no partner, and its part is taken out, until all have
    enough.
    """
    least = max(int(MIN_SHARE_NM3 / np.prod(config.resolution_nm)), 12)
    posts = _sharing(facing.other[facing.core], least)
    while len(posts) >= MIN_PARTNERS:
        own = facing.core & np.isin(facing.other, posts)
        around = np.isin(field.first, [site.pre, *posts]) & (facing.distance < site.radius_nm)
        bridged = ndimage.binary_closing(own, np.ones((1, 3, 3), bool)) & around
        cleft, shifted = largest_in_volume(own | bridged, field.box, config)
        if cleft is None:
            return None
        enough = _sharing(facing.other[cleft & own], least)
        points = {post: point_in(field, post, cleft, facing.distance, config) for post in sorted(enough)}
        touching = {post: point for post, point in points.items() if point is not None}
        if len(touching) == len(posts):
            return cleft, shifted, touching
        posts = list(touching)
    return None


def _sharing(others: NDArray[np.int32], least: int) -> list[int]:
    """The objects with at least `least` voxels, those with the most first, no more than may be partners."""
    objects, counts = np.unique(others, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [int(objects[place]) for place in order if counts[place] >= least][:MAX_PARTNERS]


def _ink(facing: _Facing, partnered: Mask, cleft: Mask, site: Site) -> Floats:
    """Darkness, 0 to 1, float32 (z, y, x): a thin band in the partners and a fainter one in the bouton."""
    inked = partnered & ndimage.binary_dilation(cleft, np.ones((3, 5, 5), bool))
    side = facing.side
    post = 0.85 * np.clip((30 - side) / 14, 0, 1) * np.clip((side + 4) / 6, 0, 1)
    pre = 0.5 * np.clip((18 + side) / 10, 0, 1) * np.clip((4 - side) / 6, 0, 1)
    rim = np.clip((site.radius_nm + 8 - facing.distance) / 30, 0, 1)
    return np.where(inked, site.strength * rim * np.maximum(pre, post), 0).astype(np.float32)


def _t_bar(facing: _Facing, cleft: Mask, site: Site, field: Field) -> Floats:
    """Darkness, 0 to 1, float32 (z, y, x): a pedestal on the bouton's membrane with a platform across its top."""
    inward = np.asarray(site.inward, np.float32)
    tissue = field.samples.tissue_nm
    middle = int(np.argmin(np.where(cleft, facing.distance, np.inf)))
    foot = tissue.reshape(3, -1)[:, middle] + facing.side.ravel()[middle] * inward
    away = [tissue[i] - foot[i] for i in range(3)]
    height = away[0] * inward[0] + away[1] * inward[1] + away[2] * inward[2]
    across = np.sqrt(np.maximum(away[0] ** 2 + away[1] ** 2 + away[2] ** 2 - height * height, 0))
    stem = np.clip((PEDESTAL_RADIUS_NM - across) / 8, 0, 1) * np.clip((PEDESTAL_NM + 6 - height) / 6, 0, 1)
    width = PLATFORM_SHARE * site.radius_nm
    top = np.clip((width - across) / 10, 0, 1) * np.clip((PLATFORM_HALF_NM - abs(height - PLATFORM_NM)) / 6, 0, 1)
    own = (field.first == site.pre) & (height > -30)
    return np.where(own, np.maximum(stem, top), 0).astype(np.float32)
