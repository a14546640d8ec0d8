"""Volumes that are stored several times over, each time coarser: groups of OME-NGFF and n5, scales of precomputed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import tensorstore as ts

from connectome.credentials import without_credentials
from connectome.errors import InputError, ResolutionError
from connectome.geometry import NmTriple
from connectome.volumes.address import with_login
from connectome.volumes.metadata import level_paths
from connectome.volumes.sidecars import TENSORSTORE_ERRORS
from connectome.volumes.volume import Volume, as_url

FORMAT = re.compile(r"\|(?:auto|zarr|zarr2|zarr3|n5):(?P<path>[^|]*)$")


@dataclass(frozen=True)
class Multiscale:
    """A volume as it was given, with its levels from the finest to the coarsest; a plain volume is its only level."""

    url: str
    levels: tuple[Volume, ...]

    @property
    def finest(self) -> Volume:
        """The volume in its own voxels."""
        return self.levels[0]


def open_multiscale(
    url: str | Path, *, resolution_nm: NmTriple | None = None, offset_nm: NmTriple | None = None
) -> Multiscale:
    """Open a volume, or all levels of one that has several.

    Args:
        url: as `Volume.open` takes it, or of a group of levels.
        resolution_nm: of the finest level (z, y, x); overrides the format's metadata.
        offset_nm: corner of the first voxel (z, y, x); overrides the format's metadata.

    Raises:
        InputError: see `Volume.open`.
    """
    shown = without_credentials(str(url))
    try:
        volume = Volume.open(url, resolution_nm=resolution_nm, offset_nm=offset_nm)
    except InputError:
        paths = group_level_urls(url)
        if not paths:
            raise
        levels = [_Level(path, 0) for path in paths]
    else:
        levels = [_Level(str(url), scale) for scale in range(volume.scale_count)]
        if len(levels) == 1:
            return Multiscale(shown, (volume,))
    finest = Volume.open(levels[0].url, resolution_nm=resolution_nm, offset_nm=offset_nm)
    others = [
        _open_coarser(level, finest, given=resolution_nm is not None or offset_nm is not None) for level in levels[1:]
    ]
    return Multiscale(shown, (finest, *sorted(others, key=lambda level: level.grid.resolution_nm[::-1])))


@dataclass(frozen=True)
class _Level:
    """Where a level lies; `scale` counts those of one precomputed volume."""

    url: str
    scale: int


def _open_coarser(level: _Level, finest: Volume, *, given: bool) -> Volume:
    """A level beyond the finest, at the same corner. Where metadata say nothing of its voxels, shapes do."""
    try:
        volume = Volume.open(level.url, scale=level.scale)
        if not given:
            return volume
    except ResolutionError:
        volume = Volume.open(level.url, scale=level.scale, resolution_nm=(1.0, 1.0, 1.0))
    factors = (finest.grid.shape / volume.grid.shape).nearest().maximum(1)
    sides_nm = finest.grid.resolution_nm * factors
    return Volume.open(level.url, scale=level.scale, resolution_nm=sides_nm, offset_nm=finest.grid.offset_nm)


def group_level_urls(url: str | Path) -> list[str]:
    """Where the levels of a group lie, finest first; empty where there is no such group."""
    text = str(url)
    address = with_login(as_url(url))
    form = FORMAT.search(address)
    below = "" if form is None else form["path"]
    root = address[: form.start()] if form is not None else address
    group = _joined(root, below) if below else root
    try:
        kvstore = ts.KvStore.open(group if group.endswith((":", "/")) else f"{group}/").result()
        paths = level_paths(kvstore)
    except TENSORSTORE_ERRORS:
        return []
    plain = "://" not in text and "|" not in text
    return [_joined(text if plain else group, path) for path in paths]


def _joined(group: str, path: str) -> str:
    """The URL of what lies in a group; a zip's own root ends in a colon."""
    return f"{group}{path}" if group.endswith((":", "/")) else f"{group}/{path}"
