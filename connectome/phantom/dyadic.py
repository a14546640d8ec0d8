"""The density between two objects: a cortical synapse or an adherent contact."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from connectome.geometry import Triple, triple
from connectome.phantom.config import PhantomConfig
from connectome.phantom.density import Density, Mask, distance_to_contact, largest_in_volume, point_in
from connectome.phantom.field import Field
from connectome.phantom.noise import Floats
from connectome.phantom.sites import Site

CLEFT_PRE_NM, CLEFT_POST_NM = -15.0, 35.0


def resolve_pair(site: Site, field: Field, config: PhantomConfig) -> Density | None:
    """The density of a site with two partners; None if its contact comes out too small, or outside the volume."""
    if site.post is None:
        raise ValueError(f"site {site.site_id} has no postsynaptic object")
    side, facing = _around(field, site.pre, site.post)
    distance = distance_to_contact(field, site)
    core = facing & (side > CLEFT_PRE_NM) & (side < CLEFT_POST_NM) & (distance < site.radius_nm)
    kept, shifted = largest_in_volume(core, field.box, config)
    if kept is None:
        return None
    inked = facing & ndimage.binary_dilation(kept, np.ones((3, 5, 5), bool))
    pre: Triple | None = triple(field.box.start)
    posts: dict[int, Triple] = {}
    if site.is_synapse:
        pre = point_in(field, site.pre, kept, distance, config)
        post = point_in(field, site.post, kept, distance, config)
        if post is not None:
            posts[site.post] = post
    if pre is None or (site.is_synapse and not posts):
        return None
    return Density(
        site=site,
        cleft_voxels=shifted if site.is_synapse else shifted[:0],
        ink_voxels=np.argwhere(inked) + np.array(field.box.start),
        ink=_ink(side[inked], distance[inked], site),
        pre_voxel=pre,
        posts=posts,
    )


def _around(field: Field, pre: int, post: int) -> tuple[Floats, Mask]:
    """Signed distance (nm) to the interface, positive in post; where the two face each other."""
    in_pre, in_post = field.first == pre, field.first == post
    facing = (in_pre & (field.second == post)) | (in_post & (field.second == pre))
    return np.where(in_post, field.edge_nm, -field.edge_nm), facing


def _ink(side: Floats, distance: Floats, site: Site) -> Floats:
    """Darkness, 0 to 1: a thick fuzzy band on the postsynaptic side and a thin one opposite."""
    thick = 34.0 if site.is_synapse else 14.0
    post = np.clip((thick + 12 - side) / 16, 0, 1) * np.clip((side + 4) / 6, 0, 1)
    pre = 0.6 * np.clip((22 + side) / 10, 0, 1) * np.clip((4 - side) / 6, 0, 1)
    rim = np.clip((site.radius_nm + 8 - distance) / 30, 0, 1)
    return (site.strength * rim * np.maximum(pre, post)).astype(np.float32)
