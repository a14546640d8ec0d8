"""A connectome of random synapses between neurons whose degrees have heavy tails: rows to load, without any image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_SEGMENT = 864_691_135_000_000_000  # ids beyond 2^53, as large volumes have them
SEGMENT_STEP = 7_919
SYNAPSES_A_NEURON, SYNAPSES_AN_EDGE = 100, 10
TAIL = 1.5  # exponent of the Pareto distribution that neurons' weights follow
SPREAD = 1.2  # deviation of the logarithm of edges' weights
DENSITY_UM3 = 1.0  # synapses in a cubic micrometre, about that of cortex


@dataclass(frozen=True, kw_only=True)
class GeneratedConnectome:
    """Synapses in the order of their clefts along z.

    Attributes:
        neurons, edges: how many; all edges have at least one synapse.
        side_nm: of the cube that they lie in.
        pre, post: int64 (n,), segment ids.
        position_nm: float32 (3, n), z, y, x.
        size_voxels: int32 (n,). confidence: float32 (n,), in [0, 1).
    """

    neurons: int
    edges: int
    side_nm: float
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    position_nm: NDArray[np.float32]
    size_voxels: NDArray[np.int32]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pre)

    @property
    def segment_ids(self) -> NDArray[np.int64]:
        """int64 (neurons,): all neurons."""
        return FIRST_SEGMENT + SEGMENT_STEP * np.arange(self.neurons, dtype=np.int64)

    def chunks(self, rows: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Columns of the tables cleft and synapse, `rows` rows at a time."""
        for start in range(0, len(self), rows):
            part = slice(start, start + rows)
            yield self._clefts(part), self._synapses(part)

    def _ids(self, part: slice) -> NDArray[np.int64]:
        return 1 + 11 * np.arange(len(self), dtype=np.int64)[part]

    def _clefts(self, part: slice) -> dict[str, Any]:
        z, y, x = self.position_nm[:, part].astype(np.float64)
        columns: dict[str, Any] = {
            "cleft_id": self._ids(part),
            "block_id": 0,
            "size_voxels": self.size_voxels[part],
            "x_nm": x,
            "y_nm": y,
            "z_nm": z,
            "mean_score": self.confidence[part],
            "max_score": 1.0,
            "state": "assigned",
        }
        for axis, middle in (("x", x), ("y", y), ("z", z)):
            columns |= {f"start_{axis}_nm": middle - 100.0, f"stop_{axis}_nm": middle + 100.0, f"centre_{axis}": 0}
        return columns

    def _synapses(self, part: slice) -> dict[str, Any]:
        z, y, x = self.position_nm[:, part]
        columns: dict[str, Any] = {
            "cleft_id": self._ids(part),
            "number": 0,
            "pre_segment_id": self.pre[part],
            "post_segment_id": self.post[part],
            "pre_score": 0.9,
            "post_score": 0.9,
            "confidence": self.confidence[part],
        }
        for axis, middle in (("x", x), ("y", y), ("z", z)):
            columns |= {f"pre_{axis}_nm": middle - np.float32(80), f"post_{axis}_nm": middle + np.float32(80)}
        return columns


def generate(synapses: int, seed: int = 1) -> GeneratedConnectome:
    """A connectome of so many synapses; the same seed gives the same."""
    generator = np.random.default_rng(seed)
    neurons, edges = max(synapses // SYNAPSES_A_NEURON, 10), max(synapses // SYNAPSES_AN_EDGE, 1)
    pairs = _pairs(generator, neurons, edges)
    weights = generator.lognormal(0.0, SPREAD, edges)
    counts = 1 + generator.multinomial(synapses - edges, weights / weights.sum())
    chosen = generator.permutation(np.repeat(pairs, counts))
    side_nm = 1000.0 * (synapses / DENSITY_UM3) ** (1 / 3)
    position = generator.random((3, synapses), np.float32) * np.float32(side_nm)
    position[0].sort()
    return GeneratedConnectome(
        neurons=neurons,
        edges=edges,
        side_nm=side_nm,
        pre=FIRST_SEGMENT + SEGMENT_STEP * (chosen // neurons),
        post=FIRST_SEGMENT + SEGMENT_STEP * (chosen % neurons),
        position_nm=np.round(position),
        size_voxels=(100 + generator.lognormal(5.0, 0.8, synapses)).astype(np.int32),
        confidence=generator.beta(8.0, 2.0, synapses).astype(np.float32),
    )


def _pairs(generator: np.random.Generator, neurons: int, edges: int) -> NDArray[np.int64]:
    """Distinct ordered pairs of different neurons as pre * neurons + post: int64 (edges,)."""
    found = np.zeros(0, np.int64)
    cumulated = [np.cumsum(1.0 + generator.pareto(TAIL, neurons)) for _ in range(2)]
    while len(found) < edges:
        drawn = [np.searchsorted(c, generator.random(edges) * c[-1], side="right") for c in cumulated]
        pre, post = (np.minimum(d, neurons - 1).astype(np.int64) for d in drawn)
        found = np.unique(np.concatenate([found, (pre * neurons + post)[pre != post]]))
    return generator.permutation(found)[:edges]
