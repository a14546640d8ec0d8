"""Batches of samples, made in a thread beside the training steps, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from connectome.training.data.dataset import Dataset
from connectome.training.data.thinned import left_sections
from connectome.training.samples.augment import SampleShape


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One patch.

    Attributes:
        inputs: float32 (channels, z, y, x), normalised image and, for an assigner, the cleft and its candidates.
        targets: float32 (channels, z, y, x); one value for a pruner.
        weights: float32 (z, y, x), 0 where the answer isn't known.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


SampleMaker = Callable[[Dataset, SampleShape, np.random.Generator], Sample]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples stacked: inputs (n, c, z, y, x), targets (n, c, z, y, x), weights (n, 1, z, y, x), all float32."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """The sources of batches, and their size."""

    datasets: list[Dataset]
    make: SampleMaker
    shape: SampleShape
    size: int
    seed: int


def batch_at(plan: BatchPlan, step: int) -> Batch:
    """The batch of one step; depends on the plan and the step alone."""
    generator = np.random.default_rng((plan.seed, step))
    weights = np.array([data.source.weight for data in plan.datasets])
    samples = []
    for _ in range(plan.size):
        data = plan.datasets[int(generator.choice(len(plan.datasets), p=weights / weights.sum()))]
        samples.append(plan.make(_as_cut(data, plan.shape, generator), plan.shape, generator))
    return Batch(
        inputs=torch.from_numpy(np.stack([sample.inputs for sample in samples])),
        targets=torch.from_numpy(np.stack([sample.targets for sample in samples])),
        weights=torch.from_numpy(np.stack([sample.weights for sample in samples])[:, None]),
    )


def _as_cut(data: Dataset, shape: SampleShape, generator: np.random.Generator) -> Dataset:
    """The source, now and then with its sections further apart."""
    how = shape.augmentation
    if how is None or how.thinned == 0 or generator.random() >= how.thinned:
        return data
    ratio, phase = generator.uniform(1, how.spacing), generator.random()
    sections = left_sections(data.box.start[0], data.box.stop[0], ratio, phase)
    return data.thinned(sections) if len(sections) > 1 else data


def batches(plan: BatchPlan, steps: range) -> Iterator[Batch]:
    """The batches of `steps`, each made while the one before is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(batch_at, plan, step) for step in steps[:2]]
        for step in steps:
            batch = coming.pop(0).result()
            if step + 2 < steps.stop:
                coming.append(pool.submit(batch_at, plan, step + 2))
            yield batch
