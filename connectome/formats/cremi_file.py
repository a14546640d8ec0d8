"""A CREMI HDF5 file: its volumes as lazily read arrays, and its annotated points.

Layout: volumes/raw, volumes/labels/neuron_ids, volumes/labels/clefts (zyx, attributes `resolution` and `offset`, nm);
annotations/ids, types, locations (zyx nm, relative to the group's `offset`), presynaptic_site/partners (pre, post id).
Padded files have a raw volume that is larger than its labels; the labels' `offset` says where they begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError, ResolutionError, StorageError, VolumeFormatError, VolumeNotFoundError
from connectome.geometry import Box, Grid, NmTriple, Triple, triple

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


class CremiVolume:
    """One dataset of the file on its grid."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        """Wrap a dataset.

        Raises:
            VolumeFormatError: it isn't a 3D array. ResolutionError: its resolution is missing or wrong.
        """
        self._path = path
        self._dataset = dataset
        if dataset.ndim != 3:
            raise VolumeFormatError(
                f"{path}: {dataset.name} has {dataset.ndim} dimensions; a volume has three (z, y, x)"
            )
        resolution = _nm_attribute(path, dataset, "resolution")
        if resolution is None or not all(value > 0 for value in resolution):
            raise ResolutionError(f"{path}: {dataset.name} carries no resolution (attribute `resolution`, nm, z y x)")
        offset = _nm_attribute(path, dataset, "offset") or (0.0, 0.0, 0.0)
        self.grid = Grid(shape=triple(dataset.shape), resolution_nm=resolution, offset_nm=offset)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        dtype: np.dtype[Any] = np.dtype(self._dataset.dtype)
        return dtype

    @property
    def chunk_shape(self) -> Triple:
        """The pieces (z, y, x) in which it is stored; some sections where it isn't chunked."""
        return triple(self._dataset.chunks or (8, *self.grid.shape[1:]))

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside the volume.

        Raises:
            StorageError: the file is damaged.
        """
        try:
            return np.asarray(self._dataset[box.slices()])
        except OSError as error:
            raise StorageError(f"{self._path}: {self._dataset.name} can't be read at {box}: {error}") from error


class CremiFile:
    """An opened file; close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open `path` for reading.

        Raises:
            VolumeNotFoundError: nothing is there. VolumeFormatError: not an HDF5 file. StorageError: not readable.
        """
        self.path = path
        try:
            self._file = h5py.File(path, "r")
        except FileNotFoundError as error:
            raise VolumeNotFoundError(f"no file at {path}") from error
        except PermissionError as error:
            raise StorageError(f"{path} can't be read: permission denied") from error
        except OSError as error:
            raise VolumeFormatError(f"{path} is not an HDF5 file, or a damaged one: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def volume(self, name: str) -> CremiVolume | None:
        """A volume by its path in the file; None where it isn't there."""
        dataset = self._file.get(name)
        return CremiVolume(self.path, dataset) if isinstance(dataset, h5py.Dataset) else None

    def partner_pairs(self) -> list[PartnerPair] | None:
        """The annotated pairs in the file's order; None where the file has no annotations.

        Raises:
            ReferenceDataError: datasets are missing or contradict each other.
        """
        group = self._file.get("annotations")
        if not isinstance(group, h5py.Group):
            return None
        ids, types, locations, partners = (
            self._annotation(group, name) for name in ("ids", "types", "locations", "presynaptic_site/partners")
        )
        self._check_annotations(ids, types, locations, partners)
        offset = np.asarray(_nm_attribute(self.path, group, "offset") or (0.0, 0.0, 0.0))
        places = {int(name): index for index, name in enumerate(ids)}
        kinds = [kind.decode() if isinstance(kind, bytes) else str(kind) for kind in types]
        return [self._pair(int(pre), int(post), places, kinds, locations + offset) for pre, post in partners]

    def _annotation(self, group: h5py.Group, name: str) -> NDArray[Any]:
        dataset = group.get(name)
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


def _nm_attribute(path: Path, item: h5py.Dataset | h5py.Group, name: str) -> NmTriple | None:
    if name not in item.attrs:
        return None
    values = np.atleast_1d(np.asarray(item.attrs[name], dtype=np.float64))
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ResolutionError(f"{path}: attribute `{name}` of {item.name} isn't three numbers (nm, z y x): {values}")
    z, y, x = (float(value) for value in values)
    return z, y, x
