"""Neuroglancer's precomputed annotations, read back as the format's documentation says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectome.volumes import annotation_layer
from connectome.volumes.annotation_layer import AnnotationLines, open_shards, write_annotation_layer

HUGE = 2**63 - 1
RECORD = np.dtype([("points", "<f4", 6), ("confidence", "<f4"), ("size", "<u4")])


def lines(count: int, seed: int = 1) -> AnnotationLines:
    random = np.random.default_rng(seed)
    start = random.uniform(-1000, 50_000, (count, 3))
    return AnnotationLines(
        start_nm=start,
        end_nm=start + random.normal(0, 3000, (count, 3)),
        properties={
            "confidence": np.where(random.random(count) < 0.2, np.nan, random.random(count)).astype(np.float32),
            "size": random.integers(0, 2**32, count).astype(np.uint32),
        },
        relationships={
            "pre": (HUGE - random.integers(0, 9, count)).astype(np.uint64),
            "cleft": np.arange(count, dtype=np.uint64) + np.uint64(2**60),
        },
    )


def listed(value: bytes) -> tuple[np.ndarray, np.ndarray]:
    count = int.from_bytes(value[:8], "little")
    end = 8 + count * RECORD.itemsize
    assert len(value) == end + 8 * count
    return np.frombuffer(value[8:end], RECORD), np.frombuffer(value[end:], "<u8")


def values_of(folder: Path, sharding: dict[str, Any]) -> dict[int, bytes]:
    store = open_shards(folder, sharding)
    return {int.from_bytes(key, "big"): store.read(key).result().value for key in store.list().result()}


@pytest.mark.parametrize("count", [1, 300, 5000])
def test_lines_are_found_by_id_by_segment_and_by_place(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotation_layer, "MOST_IN_CELL", 100)
    given = lines(count)
    write_annotation_layer(tmp_path / "layer", given)
    info = json.loads((tmp_path / "layer" / "info").read_text())
    assert info["annotation_type"] == "LINE" and info["dimensions"]["x"] == [1e-9, "m"]
    expected = np.concatenate([given.start_nm[:, ::-1], given.end_nm[:, ::-1]], 1).astype("f4")
    assert np.allclose(info["lower_bound"], expected.reshape(-1, 3).min(0))
    assert (np.array(info["upper_bound"]) >= expected.reshape(-1, 3).max(0)).all()

    by_id = values_of(tmp_path / "layer" / "by_id", info["by_id"]["sharding"])
    assert sorted(by_id) == list(range(count))
    for i, value in by_id.items():
        record = np.frombuffer(value[: RECORD.itemsize], RECORD)[0]
        assert (record["points"] == expected[i]).all() and record["size"] == given.properties["size"][i]
        assert np.array_equal(record["confidence"], given.properties["confidence"][i], equal_nan=True)
        related = np.frombuffer(value[RECORD.itemsize :], [("n", "<u4"), ("segment", "<u8")])
        assert related["n"].tolist() == [1, 1]
        assert related["segment"].tolist() == [int(values[i]) for values in given.relationships.values()]

    for relationship in info["relationships"]:
        segments = given.relationships[relationship["id"]]
        found = values_of(tmp_path / "layer" / relationship["key"], relationship["sharding"])
        assert sorted(found) == np.unique(segments).tolist()
        for segment, value in list(found.items())[:20]:
            records, ids = listed(value)
            assert ids.tolist() == np.flatnonzero(segments == np.uint64(segment)).tolist()
            assert (records["points"] == expected[ids]).all()

    seen: Counter[int] = Counter()
    for level in info["spatial"]:
        size, lower = np.array(level["chunk_size"]), np.array(info["lower_bound"])
        levels: set[int] = set()
        for file in (tmp_path / "layer" / level["key"]).iterdir():
            records, ids = listed(file.read_bytes())
            assert len(ids) <= level["limit"] and len(set(ids.tolist())) == len(ids)
            place = np.array(file.name.split("_"), int)
            assert (place < level["grid_shape"]).all()
            ends = records["points"].reshape(-1, 2, 3)
            low, high = lower + place * size, lower + (place + 1) * size
            assert (ends.max(1) >= low - 1).all() and (ends.min(1) <= high + 1).all()
            levels |= set(ids.tolist())
        seen.update(levels)
    assert set(seen) == set(range(count)) and set(seen.values()) == {1}, "each line is in one level"
    assert len(info["spatial"]) > 2 or count < 5000


def test_a_layer_without_lines_is_valid(tmp_path: Path) -> None:
    write_annotation_layer(tmp_path / "layer", lines(0))
    info = json.loads((tmp_path / "layer" / "info").read_text())
    assert info["upper_bound"] > info["lower_bound"] and len(info["spatial"]) == 1
    assert values_of(tmp_path / "layer" / "by_id", info["by_id"]["sharding"]) == {}


def test_a_line_is_in_every_cell_that_it_crosses_and_in_no_other() -> None:
    points = np.array([[[0.5, 0.5, 0.5], [2.5, 1.5, 0.5]]], np.float32)
    _, cells = annotation_layer._cells(points, np.zeros(3), np.ones(3), np.array([3, 2, 1]))
    found = {tuple(int(v) for v in np.unravel_index(cell, (3, 2, 1))) for cell in cells}
    samples = points[0, 0] + np.linspace(0, 1, 1001)[:, None] * (points[0, 1] - points[0, 0])
    crossed = {tuple(int(v) for v in cell) for cell in np.floor(samples)}
    assert crossed <= found <= crossed | {(1, 0, 0), (1, 1, 0)}
    assert (0, 1, 0) not in found and (2, 0, 0) not in found
