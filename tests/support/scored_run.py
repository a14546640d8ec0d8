"""A small world to score: an annotated reference as a CREMI file, and a finished run over it in a real store.

Six columns along x. In each a presynaptic segment lies at y < 20, a postsynaptic one above, and a cleft between them:
annotated in columns 0 to 4, ignored in column 5.

    column  prediction
    0       right
    1       partners swapped
    2       two clefts, both right
    3       none on the cleft; one in the column's free space
    4       right
    5       one, in ignored space
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from connectome.geometry import Box, NmTriple, Triple, triple
from connectome.records import AssignedSynapses
from connectome.store.database import Database
from connectome.store.findings.building import write_table
from connectome.store.findings.edges import refresh_edges
from connectome.store.runs.records import NewModel, NewRun, NewVolume, RunRecord, RunState
from connectome.store.runs.runs import create_run, get_run, set_state
from connectome.store.transfer.copying import copy_columns
from connectome.volumes.volume import Volume

SHAPE: Triple = (8, 40, 60)
RESOLUTION_NM: NmTriple = (30.0, 12.0, 12.0)
BACKGROUND, IGNORE = 2**64 - 1, 2**64 - 2
FIRST_SEGMENT = 864691135000000001
Labels = np.ndarray
Pair = tuple[int, int]


def pair_of(column: int) -> Pair:
    """The annotated (pre, post) of a column."""
    return FIRST_SEGMENT + 2 * column, FIRST_SEGMENT + 2 * column + 1


def cleft_box(column: int, x: slice = slice(2, 8)) -> tuple[slice, slice, slice]:
    """Where a column's cleft lies; `x` counts from the column's start."""
    return slice(2, 6), slice(19, 21), slice(10 * column + x.start, 10 * column + x.stop)


def write_reference(path: Path, offset_nm: NmTriple = (0.0, 0.0, 0.0), resolution_nm: NmTriple = RESOLUTION_NM) -> Path:
    """The annotated world as a CREMI file; the annotated cleft of column c has label c + 1."""
    segments, clefts = np.zeros(SHAPE, np.uint64), np.full(SHAPE, BACKGROUND, np.uint64)
    ids, locations, partners = [], [], []
    for column in range(6):
        x = slice(10 * column, 10 * column + 10)
        segments[:, :20, x], segments[:, 20:, x] = pair_of(column)
        clefts[cleft_box(column)] = IGNORE if column == 5 else column + 1
        if column < 5:
            partners.append((2 * column + 1, 2 * column + 2))
            ids += partners[-1]
            points = [(4, y, 10 * column + 5) for y in (16, 23)]
            locations += [[(v + 0.5) * r for v, r in zip(voxel, resolution_nm, strict=True)] for voxel in points]
    with h5py.File(path, "w") as file:
        for name, array in {"neuron_ids": segments, "clefts": clefts}.items():
            dataset = file.create_dataset(f"volumes/labels/{name}", data=array, chunks=(4, 20, 30), compression="gzip")
            dataset.attrs["resolution"], dataset.attrs["offset"] = resolution_nm, offset_nm
        file["annotations/ids"] = np.array(ids, np.uint64)
        file["annotations/types"] = np.array(["presynaptic_site", "postsynaptic_site"] * len(partners), "S18")
        file["annotations/locations"] = np.array(locations, np.float64)
        file["annotations/presynaptic_site/partners"] = np.array(partners, np.uint64)
        file["annotations"].attrs["offset"] = offset_nm
    return path


def predicted_world() -> tuple[Labels, dict[int, list[Pair]]]:
    """The predicted clefts, uint64 (z, y, x), and the partners of each by cleft id."""
    labels = np.zeros(SHAPE, np.uint64)
    clefts = [
        (cleft_box(0), pair_of(0)),
        (cleft_box(1), pair_of(1)[::-1]),
        (cleft_box(2, slice(2, 6)), pair_of(2)),
        (cleft_box(2, slice(7, 8)), pair_of(2)),
        ((slice(7, 8), slice(30, 32), slice(32, 36)), pair_of(3)),
        (cleft_box(4, slice(1, 9)), pair_of(4)),
        (cleft_box(5), pair_of(5)),
    ]
    partners = {}
    for box, pair in clefts:
        start = triple(s.start for s in box)
        cleft_id = 1 + int(np.ravel_multi_index(start, SHAPE))
        labels[box] = cleft_id
        partners[cleft_id] = [pair]
    return labels, partners


def write_run(
    database: Database,
    folder: Path,
    name: str = "small",
    labels: Labels | None = None,
    partners: Mapping[int, list[Pair]] | None = None,
    resolution_nm: NmTriple = RESOLUTION_NM,
    offset_nm: NmTriple = (0.0, 0.0, 0.0),
) -> RunRecord:
    """A finished run with these clefts (default: the predicted world) at a working resolution."""
    if labels is None or partners is None:
        labels, partners = predicted_world()
    folder.mkdir(parents=True, exist_ok=True)
    volume = NewVolume(url="/data/x.zarr", dtype="uint8", shape=SHAPE, resolution_nm=RESOLUTION_NM, offset_nm=offset_nm)
    detector = NewModel(name="detector", sha256="a" * 64, method="mask")
    new = NewRun(
        name=name,
        image=volume,
        segmentation=volume,
        detector=detector,
        assigner=None,
        parameters={},
        box=Box.of_shape(triple(labels.shape)),
        folder=folder,
    )
    run = create_run(database, new)
    stored = Volume.create(
        folder / "clefts.zarr",
        shape=triple(labels.shape),
        dtype=np.uint64,
        resolution_nm=resolution_nm,
        offset_nm=offset_nm,
        chunk_shape=(4, 20, 20),
    )
    stored.write(stored.box, labels)
    _write_rows(database, run.run_id, labels, partners, resolution_nm, offset_nm)
    set_state(database, run.run_id, RunState.FINISHED)
    return get_run(database, name)


def _write_rows(
    database: Database,
    run_id: int,
    labels: Labels,
    partners: Mapping[int, list[Pair]],
    resolution_nm: NmTriple,
    offset_nm: NmTriple,
) -> None:
    cleft_ids = list(partners)
    voxels = [np.argwhere(labels == cleft_id) for cleft_id in cleft_ids]
    centroids = np.array([(v.mean(0) + 0.5) * resolution_nm + offset_nm for v in voxels])
    positions = {f"{p}{a}_nm": centroids[:, i] for p in ("", "start_", "stop_") for i, a in enumerate("zyx")}
    synapses = np.array([(c, pre, post) for c, pairs in partners.items() for pre, post in pairs], np.int64)
    with database.begin() as connection:
        copy_columns(
            connection,
            "cleft",
            {
                "run_id": run_id,
                "cleft_id": cleft_ids,
                "block_id": 0,
                "size_voxels": [len(v) for v in voxels],
                "centre_z": 0,
                "centre_y": 0,
                "centre_x": 0,
                "mean_score": 0.5,
                "max_score": 1.0,
                "state": "assigned",
                **positions,
            },
        )
        write_table(
            connection,
            run_id,
            AssignedSynapses(
                cleft_id=synapses[:, 0],
                pre_segment_id=synapses[:, 1],
                post_segment_id=synapses[:, 2],
                confidence=np.full(len(synapses), 0.5),
                size_voxels=np.full(len(synapses), 1),
                centroid_nm=np.zeros((len(synapses), 3)),
                pre_score=np.full(len(synapses), 0.9),
                post_score=np.full(len(synapses), 0.9),
                pre_point_nm=np.ones((len(synapses), 3)),
                post_point_nm=np.ones((len(synapses), 3)),
            ),
        )
        refresh_edges(connection, run_id)
