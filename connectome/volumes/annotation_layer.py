"""Neuroglancer's precomputed annotations: lines between points, found by place, by id and by the segments they join.

The format is that of Neuroglancer's documentation (datasource/precomputed/annotations). By id and by segment they lie
in shards, so that a million lines are a few hundred files; in space in levels of ever smaller cells, of which each
holds a random part of what the coarser ones left, so that a viewer loads no more than it draws. There are no 64-bit
properties, so ids are relationships.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

MOST_IN_CELL = 5000
KEYS_A_MINISHARD = 1024
MOST_MINISHARD_BITS = 6
MOST_LEVELS = 24
TYPES = {"float32": "<f4", "uint32": "<u4"}
AXES = "xyz"


@dataclass(frozen=True, kw_only=True)
class AnnotationLines:
    """Lines to write.

    Attributes:
        start_nm, end_nm: float64 (n, 3), zyx.
        properties: name -> float32 or uint32 (n,).
        relationships: name -> uint64 (n,), the segment that each line belongs to.
    """

    start_nm: NDArray[np.float64]
    end_nm: NDArray[np.float64]
    properties: Mapping[str, NDArray[Any]]
    relationships: Mapping[str, NDArray[np.uint64]]

    def __len__(self) -> int:
        return len(self.start_nm)


def write_annotation_layer(folder: Path, lines: AnnotationLines) -> None:
    """Write lines into a new folder, to be served as precomputed://...; their ids are 0, 1 ... in their order."""
    folder.mkdir(parents=True)
    ids = np.arange(len(lines), dtype="<u8")
    records = _records(lines)
    points = records["points"].reshape(-1, 2, 3)
    lower = points.min(axis=(0, 1)) if len(lines) else np.zeros(3)
    upper = np.maximum(points.max(axis=(0, 1)), lower + 1) if len(lines) else np.ones(3)
    by_id = _sharding(len(lines), "identity")
    _write_by_id(folder / "by_id", by_id, records, lines.relationships)
    relationships = []
    for name, segments in lines.relationships.items():
        sharding = _sharding(len(np.unique(segments)), "murmurhash3_x86_128")
        _write_related(folder / f"by_{name}", sharding, records, ids, segments)
        relationships.append({"id": name, "key": f"by_{name}", "sharding": sharding})
    info = {
        "@type": "neuroglancer_annotations_v1",
        "dimensions": {axis: [1e-9, "m"] for axis in AXES},
        "lower_bound": lower.tolist(),
        "upper_bound": upper.tolist(),
        "annotation_type": "LINE",
        "properties": [{"id": name, "type": str(values.dtype)} for name, values in lines.properties.items()],
        "relationships": relationships,
        "by_id": {"key": "by_id", "sharding": by_id},
        "spatial": _write_levels(folder, records, ids, lower, upper),
    }
    (folder / "info").write_text(json.dumps(info, indent=1))


def _records(lines: AnnotationLines) -> NDArray[Any]:
    """The lines as the format has them: both points in x, y, z, then the properties, each of four bytes."""
    properties = [(name, TYPES[str(values.dtype)]) for name, values in lines.properties.items()]
    records = np.zeros(len(lines), [("points", "<f4", 6), *properties])
    records["points"] = np.concatenate([lines.start_nm[:, ::-1], lines.end_nm[:, ::-1]], axis=1)
    for name, values in lines.properties.items():
        records[name] = values
    return records


def _listed(records: NDArray[Any], ids: NDArray[np.uint64]) -> bytes:
    """Several annotations in one value: how many, the records, their ids."""
    return len(ids).to_bytes(8, "little") + records.tobytes() + ids.tobytes()


def _sharding(keys: int, hash_name: str) -> dict[str, Any]:
    bits = max(0, math.ceil(math.log2(max(keys, 1) / KEYS_A_MINISHARD)))
    minishard_bits = min(bits, MOST_MINISHARD_BITS)
    return {
        "@type": "neuroglancer_uint64_sharded_v1",
        "preshift_bits": 0,
        "hash": hash_name,
        "minishard_bits": minishard_bits,
        "shard_bits": bits - minishard_bits,
        "minishard_index_encoding": "gzip",
        "data_encoding": "gzip",
    }


def open_shards(folder: Path, sharding: Mapping[str, Any]) -> ts.KvStore:
    """The values of an index; a key is a number as 8 bytes, the first the most significant."""
    base = {"driver": "file", "path": f"{folder.absolute()}/"}
    return ts.KvStore.open({"driver": "neuroglancer_uint64_sharded", "metadata": dict(sharding), "base": base}).result()


def _write_by_id(
    folder: Path, sharding: Mapping[str, Any], records: NDArray[Any], relationships: Mapping[str, NDArray[np.uint64]]
) -> None:
    """One value a line; ids are hashed by identity, so that one shard after the other is written whole."""
    fields = [part for name in relationships for part in ((f"n_{name}", "<u4"), (name, "<u8"))]
    whole = np.zeros(len(records), [("record", records.dtype), *fields])
    whole["record"] = records
    for name, segments in relationships.items():
        whole[f"n_{name}"], whole[name] = 1, segments
    store = open_shards(folder, sharding)
    shard = (np.arange(len(records)) >> sharding["minishard_bits"]) & ((1 << sharding["shard_bits"]) - 1)
    for number in range(1 << sharding["shard_bits"]):
        _write_all(store, ((int(i), whole[i].tobytes()) for i in np.flatnonzero(shard == number)))


def _write_related(
    folder: Path,
    sharding: Mapping[str, Any],
    records: NDArray[Any],
    ids: NDArray[np.uint64],
    segments: NDArray[np.uint64],
) -> None:
    """One value a segment: its lines."""
    order = np.argsort(segments, kind="stable")
    keys, first = np.unique(segments[order], return_index=True)
    parts = np.split(order, first[1:]) if len(keys) else []
    values = ((int(key), _listed(records[part], ids[part])) for key, part in zip(keys, parts, strict=True))
    _write_all(open_shards(folder, sharding), values)


def _write_all(store: ts.KvStore, values: Iterator[tuple[int, bytes]]) -> None:
    """Write in one transaction: each shard is written once."""
    transaction = ts.Transaction()
    bound = store.with_transaction(transaction)
    for key, value in values:
        bound.write(key.to_bytes(8, "big"), value).result()
    transaction.commit_sync()


def _write_levels(
    folder: Path,
    records: NDArray[Any],
    ids: NDArray[np.uint64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """The spatial levels, each a folder with a file a cell; returns what `info` says of them."""
    random = np.random.default_rng(0)
    rest = np.arange(len(records))
    levels: list[dict[str, Any]] = []
    shape = np.ones(3, np.int64)
    while len(rest) or not levels:
        size = (upper - lower) / shape
        points = records["points"][rest].reshape(-1, 2, 3)
        line, cell = _cells(points, lower, size, shape)
        most = int(np.bincount(cell).max(initial=0))
        taken = np.ones(len(rest), bool)
        if most > MOST_IN_CELL and len(levels) < MOST_LEVELS - 1:
            taken = random.random(len(rest)) < MOST_IN_CELL / most
        kept = taken[line]
        place = folder / f"spatial{len(levels)}"
        place.mkdir()
        most = _write_cells(place, records, ids, rest[line[kept]], cell[kept], shape)
        levels.append(
            {
                "key": place.name,
                "grid_shape": shape.tolist(),
                "chunk_size": size.tolist(),
                "limit": max(1, most),
            }
        )
        rest = rest[~taken]
        shape = np.where(size > size.max() / 1.5, 2 * shape, shape)
    return levels


def _write_cells(
    place: Path,
    records: NDArray[Any],
    ids: NDArray[np.uint64],
    lines: NDArray[np.int64],
    cells: NDArray[np.int64],
    shape: NDArray[np.int64],
) -> int:
    """A file a cell, named by its place in the grid; returns the most lines of one."""
    order = np.argsort(cells, kind="stable")
    numbers, first = np.unique(cells[order], return_index=True)
    parts = np.split(lines[order], first[1:]) if len(numbers) else []
    for number, part in zip(numbers, parts, strict=True):
        name = "_".join(str(one) for one in np.unravel_index(number, shape))
        (place / name).write_bytes(_listed(records[part], ids[part]))
    return max(map(len, parts), default=0)


def _cells(
    points: NDArray[np.float32], lower: NDArray[np.float64], size: NDArray[np.float64], shape: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which cells each line crosses.

    Args:
        points: float32 (n, 2, 3), both ends.
        lower: where the grid begins.
        size: of a cell.
        shape: of the grid.

    Returns:
        Places in `points` and numbers of cells in C order, int64, one pair a crossing.
    """
    inside = (points - lower) / size
    corners = np.clip(np.floor(inside).astype(np.int64), 0, shape - 1)
    first, last = corners.min(axis=1), corners.max(axis=1)
    extent = last - first + 1
    counts = extent.prod(axis=1)
    line = np.repeat(np.arange(len(points)), counts)
    number = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    cell = np.empty((len(line), 3), np.int64)
    for axis in (2, 1, 0):
        cell[:, axis] = first[line, axis] + number % extent[line, axis]
        number //= extent[line, axis]
    crossed = (counts == 1)[line] | _crosses(inside[line], cell)
    return line[crossed], np.ravel_multi_index(tuple(cell[crossed].T), tuple(shape))


def _crosses(ends: NDArray[np.float64], cell: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether lines meet boxes of side 1: the parts of each line between the box's two faces, axis by axis."""
    start, step = ends[:, 0], ends[:, 1] - ends[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        faces = np.sort(np.stack([(cell - start) / step, (cell + 1 - start) / step]), axis=0)
    # a line along a face stays between both: its cells were chosen by the corners
    enter = np.where(step == 0, 0.0, faces[0]).max(axis=1)
    leave = np.where(step == 0, 1.0, faces[1]).min(axis=1)
    return np.asarray(np.maximum(enter, 0) <= np.minimum(leave, 1))
