"""Datasets of an HDF5 file as volumes; links and storage that lead out of the file aren't followed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from connectome.errors import ResolutionError, StorageError, VolumeFormatError, VolumeNotFoundError
from connectome.formats.axes import AxisPlan, given_axes, plan_axes
from connectome.geometry import Box, Grid, NmTriple, Triple, Vector
from connectome.volumes.placement import attributes_metadata

MOST_LINKS = 16
MOST_NAMED = 10


class Hdf5Volume:
    """One dataset of a file on its grid, always (z, y, x)."""

    def __init__(self, path: Path, dataset: h5py.Dataset, plan: AxisPlan, grid: Grid) -> None:
        """Wrap a dataset (see `Hdf5File.volume`)."""
        self.grid = grid
        self._path, self._dataset, self._plan = path, dataset, plan

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"{self._path}: {self._dataset.name}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        found: np.dtype[Any] = np.dtype(self._dataset.dtype)
        return found

    @property
    def chunk_shape(self) -> Triple:
        """The pieces (z, y, x) in which it is stored; some sections where it isn't chunked."""
        chunks = self._dataset.chunks
        if chunks is None:
            return Vector((8, *self.grid.shape[1:]))
        return Vector(1 if axis is None else int(chunks[axis]) for axis in self._plan.axes)

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside the volume.

        Raises:
            StorageError: the file is damaged, or its compression isn't known.
        """
        try:
            return self._plan.read(self._dataset, box)
        except OSError as error:
            raise StorageError(f"{self.title} can't be read at {box}: {error}") from error


class Hdf5File:
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

    def find(self, name: str) -> h5py.Dataset | h5py.Group | None:
        """A dataset or group by its path in the file; None where there is none.

        Raises:
            VolumeFormatError: it leads, or its voxels lie, outside of the file.
        """
        return _find(self._file, name)

    def volume(
        self,
        name: str,
        *,
        resolution_nm: NmTriple | None = None,
        offset_nm: NmTriple | None = None,
        axes: str | None = None,
        channel: int | None = None,
    ) -> Hdf5Volume | None:
        """A dataset as a volume; None where it isn't there.

        Args:
            name: its path in the file.
            resolution_nm: nm a voxel (z, y, x); None: as its attributes tell.
            offset_nm: corner of the first voxel (z, y, x); None: as its attributes tell, or 0.
            axes: letters of its axes (see `given_axes`); None: as its attributes tell, or z, y, x.
            channel: which of several channels, from 0.

        Raises:
            VolumeFormatError: it isn't the array of a volume. ResolutionError: nothing tells its resolution.
        """
        dataset = self.find(name)
        if not isinstance(dataset, h5py.Dataset):
            return None
        title = f"{self.path}: {dataset.name}"
        shape = tuple(map(int, dataset.shape or ()))
        letters = _letters(title, dataset, shape) if axes is None else given_axes(title, axes, shape)
        plan = plan_axes(title, letters, shape, channel)
        told = attributes_metadata(_attributes(title, dataset), tuple(letters))
        resolution = resolution_nm or told.resolution_nm
        if resolution is None or not min(resolution) > 0:
            raise ResolutionError(f"{title} carries no resolution (attribute `resolution`, nm, z y x)", about="voxel")
        offset = offset_nm or told.offset_nm(resolution) or (0.0, 0.0, 0.0)
        return Hdf5Volume(
            self.path, dataset, plan, Grid(shape=plan.zyx_shape, resolution_nm=resolution, offset_nm=offset)
        )

    def the_volume(self, name: str | None, **how: Any) -> Hdf5Volume:
        """A dataset as a volume (see `volume`); without a name the only one that has three dimensions.

        Raises:
            VolumeFormatError: there is none of that name, or none or several without one.
        """
        there = list(islice(_arrays(self._file, ""), MOST_NAMED))
        if name is None and len(there) == 1:
            name = there[0]
        volume = None if name is None else self.volume(name, **how)
        if volume is None:
            wanted = "" if name is None else f"no dataset {name}; "
            listed = f"its volumes are {', '.join(there)}" if there else "it holds no dataset of three dimensions"
            raise VolumeFormatError(f"{self.path}: {wanted}{listed}", about="dataset")
        return volume


def nm_attribute(path: Path, item: h5py.Dataset | h5py.Group, name: str) -> NmTriple | None:
    """Three numbers (nm, z y x) of an attribute; None where it isn't there.

    Raises:
        ResolutionError: it holds anything else.
    """
    if name not in item.attrs:
        return None
    values = np.atleast_1d(np.asarray(item.attrs[name], dtype=np.float64))
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ResolutionError(f"{path}: attribute `{name}` of {item.name} isn't three numbers (nm, z y x): {values}")
    return Vector(values.tolist())


def _letters(title: str, dataset: h5py.Dataset, shape: tuple[int, ...]) -> str:
    """A letter for each axis, as the dataset tells: vigra's tags, labels of dimensions; else z, y, x.

    Raises:
        VolumeFormatError: it has more axes, or MATLAB's, whose order nobody tells.
    """
    try:
        tags = json.loads(dataset.attrs.get("axistags", "{}")).get("axes", [])
    except (ValueError, AttributeError, TypeError):
        tags = []
    letters = "".join(str(tag.get("key", "?")) for tag in tags) or "".join(axis.label[:1] for axis in dataset.dims)
    if len(letters) == len(shape):
        return letters.lower()
    if "MATLAB_class" in dataset.attrs:
        raise VolumeFormatError(
            f"{title} was written by MATLAB, which stores rows, columns and sections in the order z, x, y", about="axes"
        )
    if len(shape) == 3:
        return "zyx"
    if sum(count > 1 for count in shape) == 3:
        return given_axes(title, "zyx", shape)
    raise VolumeFormatError(f"{title} has {len(shape)} dimensions; a volume has three (z, y, x)", about="axes")


def _attributes(title: str, dataset: h5py.Dataset) -> dict[str, Any]:
    """The attributes as plain values, with ilastik's size of an element as a resolution.

    Raises:
        ResolutionError: a resolution or an offset isn't numbers.
    """
    found: dict[str, Any] = {}
    for name, value in dataset.attrs.items():
        plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        found[name] = plain.decode(errors="replace") if isinstance(plain, bytes) else plain
    for name in ("resolution", "offset"):
        if name in found and not _are_numbers(found[name]):
            raise ResolutionError(f"{title}: attribute `{name}` isn't three numbers (nm, z y x): {found[name]}")
    if "resolution" not in found and "element_size_um" in found:
        return found | {"resolution": found["element_size_um"], "units": "um"}
    return found


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and bool(np.isfinite(np.asarray(value, np.float64)).all())


def _find(group: h5py.Group, name: str, links: int = 0) -> h5py.Dataset | h5py.Group | None:
    found: h5py.Dataset | h5py.Group = group.file if name.startswith("/") else group
    for part in name.strip("/").split("/") if name.strip("/") else ():
        if not isinstance(found, h5py.Group) or part not in found.keys():  # noqa: SIM118  # `in` follows links
            return None
        link = found.get(part, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise VolumeFormatError(f"{group.file.filename}: {name} leads to another file, which isn't followed")
        if not isinstance(link, h5py.SoftLink):
            found = found[part]
            continue
        if links == MOST_LINKS:
            return None
        led = _find(found, link.path, links + 1)
        if led is None:
            return None
        found = led
    if isinstance(found, h5py.Dataset):
        _refuse_outside(found)
    return found


def _refuse_outside(dataset: h5py.Dataset) -> None:
    sources = [source.file_name for source in dataset.virtual_sources()] if dataset.is_virtual else []
    if dataset.external or any(name != "." for name in sources):
        raise VolumeFormatError(
            f"{dataset.file.filename}: the voxels of {dataset.name} lie in other files, which aren't followed"
        )


def _arrays(group: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in group:
        link = group.get(name, getlink=True)  # type: ignore[call-overload]
        if isinstance(link, h5py.HardLink):
            item = group[name]
            if isinstance(item, h5py.Group):
                yield from _arrays(item, f"{path}/{name}")
            elif isinstance(item, h5py.Dataset) and item.ndim >= 3:
                yield f"{path}/{name}"
