"""Volumes: arrays on a voxel grid with a resolution and an offset in nm.

Whatever a format's own axis order, first index
and channels, a `Volume` is always (z, y, x) and begins at voxel (0, 0, 0).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import DTypeLike, NDArray

from connectome.credentials import without_credentials
from connectome.errors import (
    BoxError,
    DtypeError,
    ResolutionError,
    StorageError,
    VolumeFormatError,
    VolumeNotFoundError,
)
from connectome.geometry import Box, Grid, NmTriple, Triple, Vector, triple
from connectome.volumes.absent import absent_pieces
from connectome.volumes.address import as_url, local_path, refuse_missing, with_login
from connectome.volumes.metadata import level_paths, read_array_metadata, scale_count
from connectome.volumes.placement import ArrayMetadata, spatial_axes
from connectome.volumes.sidecars import TENSORSTORE_ERRORS, driver, read_json, reason

__all__ = ["Grid", "Volume", "as_url"]

CACHE_BYTES = 64 * 2**20
"""Of each volume: 16 chunks of 32x128x128 labels of 64 bits. A patch touches up to 8, and so do the next of its block.
More would only make memory grow with the volume: neighbouring tiles and patches are read soon after each other."""
ZARR = "zarr (2 or 3), n5 or neuroglancer precomputed"
OTHER_FILES = {
    ".hdf": "cremi",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".tif": "stack",
    ".tiff": "stack",
    ".png": "stack",
    ".npy": "stack",
}
ARRAY_FILES = (".zarray", "zarr.json", "attributes.json", "info")
MOST_NAMED = 10
RETRIES = {"max_retries": 5, "initial_delay": "500ms", "max_delay": "4s"}


class Volume:
    """An opened volume. Reads and writes are in voxels of its own grid, axes (z, y, x)."""

    def __init__(self, url: str, store: ts.TensorStore, grid: Grid) -> None:
        """Wrap a three-dimensional zyx store that begins at voxel 0 (see `open` and `create`)."""
        self.url = without_credentials(url)
        self.grid = grid
        self._store = store

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        resolution_nm: NmTriple | None = None,
        offset_nm: NmTriple | None = None,
        scale: int = 0,
        writable: bool = False,
    ) -> Volume:
        """Open a volume of any format that TensorStore detects: zarr3, zarr2, n5, neuroglancer precomputed.

        Args:
            url: a local path, a URL (file://, gs://, s3://, https://), a URL pipeline (`...|zarr3:`) or what
                neuroglancer calls a source (`precomputed://gs://...`).
            resolution_nm: nm a voxel (z, y, x); overrides the format's metadata.
            offset_nm: corner of the first voxel (z, y, x) in nm; overrides the format's metadata.
            scale: which scale of a neuroglancer precomputed volume, as its `info` lists them.
            writable: open for writing too.

        Raises:
            VolumeNotFoundError: nothing is there. VolumeFormatError: not a 3D volume that can be read.
            ResolutionError: the metadata has no resolution and none is given.
        """
        address = with_login(as_url(url))
        refuse_missing(url)
        context = _context(CACHE_BYTES)
        try:
            spec = ts.Spec(address)
            if scale:
                opened = ts.open(spec, context=context, read=True).result()
                spec = ts.Spec(
                    {
                        "driver": "neuroglancer_precomputed",
                        "kvstore": opened.spec().to_json()["kvstore"],
                        "scale_index": scale,
                    }
                )
            store = ts.open(spec, context=context, read=True, write=writable, recheck_cached_data="open").result()
        except TENSORSTORE_ERRORS as error:
            raise _opening_error(str(url), address, error) from error
        try:
            metadata = read_array_metadata(store)
            zyx, first = _as_zyx(str(url), store, metadata.names)
        except TENSORSTORE_ERRORS as error:
            raise VolumeFormatError(f"{url} can't be opened as a volume: {reason(error)}") from error
        return cls(str(url), zyx, _grid(url, zyx, first, metadata, resolution_nm, offset_nm))

    @classmethod
    def create(
        cls,
        url: str | Path,
        *,
        shape: Triple,
        dtype: DTypeLike,
        resolution_nm: NmTriple,
        offset_nm: NmTriple = (0.0, 0.0, 0.0),
        chunk_shape: Triple = (32, 128, 128),
        overwrite: bool = False,
    ) -> Volume:
        """Create an empty zarr3 volume (zstd), all zeros.

        Raises:
            StorageError: it exists and `overwrite` is false, or can't be written. ResolutionError: not greater than 0.
        """
        metadata = {
            "shape": list(shape),
            "data_type": np.dtype(dtype).name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
            "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}],
            "attributes": {
                "resolution": list(_valid_resolution(url, resolution_nm)),
                "offset": list(offset_nm),
                "units": ["nm"] * 3,
            },
            "dimension_names": ["z", "y", "x"],
        }
        spec = {"driver": "zarr3", "kvstore": with_login(as_url(url)), "metadata": metadata}
        try:
            store = ts.open(spec, context=_context(0), create=True, delete_existing=overwrite).result()
        except TENSORSTORE_ERRORS as error:
            if "ALREADY_EXISTS" in str(error):
                raise StorageError(f"{url} exists already: remove it, or choose another place") from error
            raise StorageError(f"{url} can't be created: {reason(error)}") from error
        return cls(str(url), store, Grid(shape=shape, resolution_nm=resolution_nm, offset_nm=offset_nm))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        return np.dtype(self._store.dtype.numpy_dtype)

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return self.grid.box

    @cached_property
    def chunk_shape(self) -> Triple:
        """The shape (z, y, x) of the pieces that reads decode."""
        return triple(side or 1 for side in self._store.chunk_layout.read_chunk.shape or ())

    @cached_property
    def stored_shape(self) -> Triple:
        """The shape (z, y, x) of the pieces that are stored: chunks, or shards of several."""
        return triple(side or 1 for side in self._store.chunk_layout.write_chunk.shape or ())

    def absent_chunks(self, chunks: Box) -> list[Triple] | None:
        """Which pieces of `stored_shape` aren't stored, as (z, y, x) counted in pieces; None: the store can't tell.

        Args:
            chunks: which are looked at.

        Raises:
            StorageError: the store can't be asked.
        """
        try:
            return absent_pieces(self._store, self.stored_shape, chunks)
        except TENSORSTORE_ERRORS as error:
            raise StorageError(f"{self.url} can't be asked for its chunks: {reason(error)}") from error

    @property
    def scale_count(self) -> int:
        """The number of times that a neuroglancer precomputed volume is stored; 1 for other formats."""
        return scale_count(self._store)

    @property
    def driver(self) -> str:
        """The name of the format."""
        return driver(self._store)

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels of `box` (z, y, x); those beyond the volume's border are 0.

        Raises:
            StorageError: a chunk can't be read or decoded.
        """
        inside = box.intersect(self.box)
        if inside.is_empty:
            return np.zeros(box.shape, self.dtype)
        data = self.read_strided(inside, (1, 1, 1))
        if inside == box:
            return data
        padded = np.zeros(box.shape, self.dtype)
        padded[inside.slices(box.start)] = data
        return padded

    def read_strided(self, box: Box, step: Triple) -> NDArray[Any]:
        """Every `step`-th voxel (z, y, x) of a box, from its first; what is beyond the volume's border is left out.

        Raises:
            StorageError: a chunk can't be read or decoded.
        """
        slices = tuple(map(slice, box.start, box.stop.minimum(self.grid.shape), step))
        try:
            return np.asarray(self._store[slices].read().result())
        except TENSORSTORE_ERRORS as error:
            raise StorageError(f"{self.url} can't be read at {box}: {reason(error)}") from error

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Write `array` (z, y, x) of the volume's dtype to `box`; returns once it is stored.

        Raises:
            BoxError: the box isn't inside the volume. DtypeError: another data type.
            StorageError: disk full or unwritable.
        """
        if not self.box.contains(box):
            raise BoxError(f"{self.url}: box {box} lies outside the volume {self.box}")
        if array.dtype != self.dtype:
            raise DtypeError(f"{self.url} holds {self.dtype}, not {array.dtype}")
        try:
            self._store[box.slices()].write(array).result()
        except TENSORSTORE_ERRORS as error:
            raise StorageError(f"{self.url} can't be written at {box}: {reason(error)}") from error


def _context(cache_bytes: int) -> ts.Context:
    """Settings of an opened store: its cache, and half a minute of retries where a server doesn't answer."""
    kinds = ("http_request_retries", "gcs_request_retries", "s3_request_retries")
    return ts.Context({"cache_pool": {"total_bytes_limit": cache_bytes}, **dict.fromkeys(kinds, RETRIES)})


def _grid(
    url: str | Path,
    store: ts.TensorStore,
    first: Triple,
    metadata: ArrayMetadata,
    resolution_nm: NmTriple | None,
    offset_nm: NmTriple | None,
) -> Grid:
    """The grid of an opened array: as is given, else as its metadata say.

    Raises:
        ResolutionError: no resolution is known, or what the metadata say can't be understood.
    """
    if metadata.riddle and (resolution_nm is None or offset_nm is None):
        raise ResolutionError(f"{url}: {metadata.riddle}", about="place")
    resolution = resolution_nm or metadata.resolution_nm
    if resolution is None:
        told = metadata.sides
        numbers = "" if told is None else f" (its metadata say {_text(told.sides)}, without a unit that is known)"
        raise ResolutionError(f"{url} carries no resolution{numbers}", about="voxel")
    resolution = _valid_resolution(url, resolution)
    offset = offset_nm or metadata.offset_nm(resolution) or _rounded(Vector(resolution) * first)
    return Grid(shape=triple(store.shape), resolution_nm=resolution, offset_nm=offset)


def _rounded(values: Vector[float]) -> NmTriple:
    z, y, x = (round(value, 6) for value in values)
    return z, y, x


def _text(values: Iterable[float] | None) -> str:
    return ",".join(f"{value:g}" for value in values or ())


def _valid_resolution(url: str | Path, resolution_nm: NmTriple) -> NmTriple:
    if not all(math.isfinite(value) and value > 0 for value in resolution_nm):
        raise ResolutionError(f"{url} has a resolution of {resolution_nm} nm: each must be greater than 0")
    return resolution_nm


def _opening_error(url: str, address: str, error: Exception) -> Exception:
    """The error for a volume that didn't open: nothing there, another kind of file, a group of volumes."""
    path = local_path(url)
    if path is not None and path.is_file() and path.suffix.lower() in OTHER_FILES:
        command = f"connectome volume import {OTHER_FILES[path.suffix.lower()]}"
        return VolumeFormatError(f"{url} is a {path.suffix} file, not {ZARR}: turn it into a volume with `{command}`")
    arrays = _arrays_in(address)
    if arrays:
        return VolumeFormatError(f"{url} is a group of volumes, not a volume: open one of {', '.join(arrays)} in it")
    refused = re.search(r"HTTP code (401|403)", str(error))
    if path is None and refused is not None:
        return VolumeFormatError(
            f"the server of {url} refuses it (HTTP {refused[1]}): its login belongs into .netrc, keys of s3 and gs "
            "into the environment"
        )
    if path is None and ("NOT_FOUND" in str(error) or "Failed to detect format" in str(error)):
        return VolumeNotFoundError(f"no volume at {url}: nothing there is {ZARR}")
    if "Failed to detect format" in str(error):
        return VolumeFormatError(f"{url} is not a volume: nothing there is {ZARR}")
    return VolumeFormatError(f"{url} can't be opened as a volume: {reason(error)}")


def _arrays_in(address: str) -> list[str]:
    """The paths of the arrays in a group: those that its metadata name, else up to ten that lie in it."""
    root = re.sub(r"\|(?:auto|zarr|zarr2|zarr3|n5|neuroglancer-precomputed):$", "", address)
    try:
        group = ts.KvStore.open(root if root.endswith((":", "/")) else f"{root}/").result()
        listed = level_paths(group) or _consolidated(group)
        if not listed and not address.startswith(("http:", "https:")):
            listed = _arrays_below(group, local_path(address))
    except (VolumeFormatError, *TENSORSTORE_ERRORS):
        return []
    return listed[:MOST_NAMED]


def _consolidated(group: ts.KvStore) -> list[str]:
    """The arrays of a group that keeps all metadata in one file: zarr 2 and 3."""
    older = read_json(group, ".zmetadata").get("metadata", {})
    newer = read_json(group, "zarr.json").get("consolidated_metadata") or {}
    named = newer.get("metadata", {})
    found = [key.removesuffix("/.zarray") for key in older if key.endswith("/.zarray")]
    return sorted(found + [key for key, value in named.items() if value.get("node_type") == "array"])


def _arrays_below(group: ts.KvStore, path: Path | None) -> list[str]:
    """The folders, down to three, that hold an array's metadata."""
    if path is not None and path.is_dir():
        depths = ("*", "*/*", "*/*/*")
        names = [f"{depth}/{name}" for depth in depths for name in ARRAY_FILES]
        return sorted({str(file.parent.relative_to(path)) for name in names for file in path.glob(name)})
    keys = [key.decode() for key in group.list().result()]
    return sorted({key.rpartition("/")[0] for key in keys if key.rpartition("/")[2] in ARRAY_FILES})


def _as_zyx(url: str, store: ts.TensorStore, names: tuple[str, ...]) -> tuple[ts.TensorStore, Triple]:
    """The store as (z, y, x) from voxel 0, and the index (z, y, x) its first voxel has in the format."""
    order = spatial_axes(names)
    if len(order) < 3:
        raise VolumeFormatError(f"{url} is an array of {store.rank} dimensions; a volume has three (z, y, x)")
    for axis in sorted(set(range(store.rank)) - set(order), reverse=True):
        if store.shape[axis] != 1:
            kind = names[axis] or f"axis {axis}"
            raise VolumeFormatError(f"{url} has {store.shape[axis]} along {kind}; a volume has one value a voxel")
        store = store[ts.d[axis][store.domain[axis].inclusive_min]]
        order = [place - (place > axis) for place in order]
    store = store[ts.d[order].transpose[:]]
    first = triple(store.domain.origin)
    return store[ts.d[:].translate_to[0]], first
