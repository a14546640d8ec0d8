"""Roots from a new segmentation: where a segment was split, each synapse goes where its own points lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError, SegmentIdError
from connectome.geometry import Box, NmTriple, triple
from connectome.records import LARGEST_ID, NoProgress, Progress
from connectome.store.database import Database
from connectome.store.proofreading.data_sets import choose_data_set
from connectome.store.proofreading.root_versions import NewRoots, make_split_version
from connectome.store.queries.points import partner_points, synapse_count
from connectome.store.queries.scope import find_roots
from connectome.store.runs.runs import finished_run
from connectome.volumes.multiscale import open_multiscale
from connectome.volumes.volume import Volume


def read_points(volume: Volume, points_nm: NDArray[np.float64]) -> NDArray[np.int64]:
    """The segment at each point, reading each chunk of the volume once.

    Args:
        volume: labels, unsigned or signed integers.
        points_nm: float64 (n, 3), axes (z, y, x), in nm.

    Returns:
        int64 (n,); 0 for background and for points beyond the volume's border.

    Raises:
        SegmentIdError: a segment of 2^63 or more lies at a point. StorageError: a chunk can't be read.
    """
    grid = volume.grid
    voxels = np.floor((points_nm - np.array(grid.offset_nm)) / np.array(grid.resolution_nm)).astype(np.int64)
    found = np.zeros(len(points_nm), np.int64)
    inside = np.flatnonzero(((voxels >= 0) & (voxels < np.array(grid.shape))).all(axis=1))
    chunks = voxels[inside] // np.array(volume.chunk_shape)
    order = np.lexsort(chunks.T[::-1])
    borders = np.flatnonzero((np.diff(chunks[order], axis=0) != 0).any(axis=1)) + 1
    for group in np.split(inside[order], borders):
        if len(group) == 0:
            continue
        start, stop = voxels[group].min(axis=0), voxels[group].max(axis=0) + 1
        labels = volume.read(Box(triple(start), triple(stop)))
        values = labels[tuple((voxels[group] - start).T)]
        if len(values) and int(values.max()) > LARGEST_ID:
            raise SegmentIdError(
                f"{volume.url} holds the segment {int(values.max())}: ids go up to 2^63 - 1, relabel the segmentation"
            )
        found[group] = values.astype(np.int64)
    return found


@dataclass(frozen=True, kw_only=True)
class VolumeRoots:
    """A version of roots to make from a segmentation volume.

    Attributes:
        url: the new segmentation; its labels are the roots.
        name: the version's name.
        run: a finished run; None: the latest.
        parent: the version that is corrected; None: the segments.
        resolution_nm, offset_nm: of the volume (z, y, x), where its metadata has none or a wrong one.
    """

    url: str
    name: str
    run: str | None = None
    parent: str | None = None
    resolution_nm: NmTriple | None = None
    offset_nm: NmTriple | None = None


@dataclass(kw_only=True)
class SplitReport:
    """What became of the synapses: looked up, reassigned on either side, and sides whose point lies in no segment."""

    name: str
    run: str
    synapses: int = 0
    reassigned: int = 0
    unresolved_sides: int = 0
    edges: int = 0


def roots_from_volume(database: Database, request: VolumeRoots, progress: Progress | None = None) -> SplitReport:
    """Make a version of roots in which each synapse belongs to the segments of a new volume at its own points.

    A side whose point lies in no segment, or beyond the volume, keeps the root that it has. Only synapses of which a
    side changed are written; the version that it came from stays as it was.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or version, or it isn't finished.
        RootsError: a version of this name exists. DtypeError: the volume holds no labels.
        SegmentIdError: a label of 2^63 or more.
    """
    shown = progress or NoProgress()
    run = finished_run(database, request.run)
    parent = find_roots(database, request.parent, run.run_id)
    given = open_multiscale(request.url, resolution_nm=request.resolution_nm, offset_nm=request.offset_nm)
    volume = given.finest
    if volume.dtype.kind not in "ui":
        raise DtypeError(f"{volume.url} holds {volume.dtype}; a segmentation's labels are integers")
    report = SplitReport(name=request.name, run=run.name)
    shown.start("look up points", synapse_count(database, run.run_id), unit="synapses")
    data_set_id = choose_data_set(database, run=run.name).data_set_id
    new = NewRoots(name=request.name, source=volume.url, data_set_id=data_set_id, parent=request.parent)
    batches = partner_points(database, run.run_id, parent)
    report.edges = make_split_version(database, new, run.run_id, _overrides(volume, batches, report, shown))
    shown.finish()
    return report


def _overrides(
    volume: Volume, batches: Iterator[dict[str, NDArray[Any]]], report: SplitReport, progress: Progress
) -> Iterator[dict[str, NDArray[Any]]]:
    """The synapses whose roots don't follow from their segments; counts all of them."""
    for batch in batches:
        count = len(batch["cleft_id"])
        chosen = {"cleft_id": batch["cleft_id"], "number": batch["number"]}
        changed, deviating = np.zeros(count, bool), np.zeros(count, bool)
        for side in ("pre", "post"):
            points = np.stack([batch[f"{side}_{axis}_nm"].astype(np.float64) for axis in "zyx"], axis=1)
            found, before = read_points(volume, points), batch[f"{side}_id"]
            roots = np.where(found > 0, found, before)
            report.unresolved_sides += int((found == 0).sum())
            changed |= roots != before
            follows = roots == batch[f"{side}_mapped"]
            deviating |= ~follows
            chosen[f"{side}_root_id"] = np.ma.masked_array(roots, follows)
        report.synapses += count
        report.reassigned += int(changed.sum())
        progress.advance(count)
        yield {name: values[deviating] for name, values in chosen.items()}
