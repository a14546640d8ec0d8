"""The density of any site, from the site's own surroundings."""

from __future__ import annotations

from connectome.phantom.active_zone import resolve_zone
from connectome.phantom.config import PhantomConfig
from connectome.phantom.density import Density, reach_of
from connectome.phantom.dyadic import resolve_pair
from connectome.phantom.field import compute_field
from connectome.phantom.sites import Site, SiteKind
from connectome.phantom.tubes import Tubes


def resolve(site: Site, tubes: Tubes, config: PhantomConfig) -> Density | None:
    """The density of a site; None if its contact comes out too small, or outside the volume."""
    field = compute_field(reach_of(site, config), tubes, config.resolution_nm, config.seed)
    match site.kind:
        case SiteKind.SYNAPSE | SiteKind.ADHERENT:
            return resolve_pair(site, field, config)
        case SiteKind.ACTIVE_ZONE:
            return resolve_zone(site, field, config)
