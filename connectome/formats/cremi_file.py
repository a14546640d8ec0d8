"""A CREMI HDF5 file: the paths of its volumes, and its annotated points.

Layout: volumes/raw, volumes/labels/neuron_ids, volumes/labels/clefts (zyx, attributes `resolution` and `offset`, nm);
annotations/ids, types, locations (zyx nm, relative to the group's `offset`), presynaptic_site/partners (pre, post id).
Padded files have a raw volume that is larger than its labels; the labels' `offset` says where they begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError
from connectome.formats.hdf5 import Hdf5File, nm_attribute
from connectome.geometry import NmTriple

RAW = "volumes/raw"
NEURON_IDS = "volumes/labels/neuron_ids"
CLEFTS = "volumes/labels/clefts"


@dataclass(frozen=True, kw_only=True)
class PartnerPair:
    """An annotated pair: the ids of its points and their positions (z, y, x) in nm."""

    pre_point_id: int
    post_point_id: int
    pre_point_nm: NmTriple
    post_point_nm: NmTriple


class CremiFile(Hdf5File):
    """An opened CREMI file."""

    def partner_pairs(self) -> list[PartnerPair] | None:
        """The annotated pairs in the file's order; None where the file has no annotations.

        Raises:
            ReferenceDataError: datasets are missing or contradict each other.
        """
        group = self.find("annotations")
        if not isinstance(group, h5py.Group):
            return None
        ids, types, locations, partners = (
            self._annotation(group, name) for name in ("ids", "types", "locations", "presynaptic_site/partners")
        )
        self._check_annotations(ids, types, locations, partners)
        offset = np.asarray(nm_attribute(self.path, group, "offset") or (0.0, 0.0, 0.0))
        places = {int(name): index for index, name in enumerate(ids)}
        kinds = [kind.decode() if isinstance(kind, bytes) else str(kind) for kind in types]
        return [self._pair(int(pre), int(post), places, kinds, locations + offset) for pre, post in partners]

    def _annotation(self, group: h5py.Group, name: str) -> NDArray[Any]:
        dataset = self.find(f"{group.name}/{name}")
        if not isinstance(dataset, h5py.Dataset):
            raise ReferenceDataError(f"{self.path} has no annotations/{name}: there are no partners in it")
        return np.asarray(dataset[()])

    def _check_annotations(self, ids: NDArray[Any], types: NDArray[Any], *positions: NDArray[Any]) -> None:
        locations, partners = positions
        if not (ids.ndim == 1 and ids.shape == types.shape and locations.shape == (len(ids), 3)):
            raise ReferenceDataError(
                f"{self.path}: annotations/ids {ids.shape}, types {types.shape} and locations {locations.shape} "
                "don't fit each other"
            )
        if len(np.unique(ids)) != len(ids):
            raise ReferenceDataError(f"{self.path}: annotations/ids holds an id twice")
        if partners.size and (partners.ndim != 2 or partners.shape[1] != 2):
            raise ReferenceDataError(
                f"{self.path}: annotations/presynaptic_site/partners isn't pairs: {partners.shape}"
            )

    def _pair(
        self, pre: int, post: int, places: dict[int, int], kinds: list[str], locations: NDArray[Any]
    ) -> PartnerPair:
        for point, kind in ((pre, "presynaptic_site"), (post, "postsynaptic_site")):
            if point not in places:
                raise ReferenceDataError(
                    f"{self.path}: a pair names annotation {point}, which isn't in annotations/ids"
                )
            if kinds[places[point]] != kind:
                raise ReferenceDataError(
                    f"{self.path}: annotation {point} is a {kinds[places[point]]}, but a pair takes it as its {kind}"
                )
        positions = [tuple(float(v) for v in locations[places[point]]) for point in (pre, post)]
        (z0, y0, x0), (z1, y1, x1) = positions
        return PartnerPair(pre_point_id=pre, post_point_id=post, pre_point_nm=(z0, y0, x0), post_point_nm=(z1, y1, x1))
