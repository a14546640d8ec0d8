"""Sections left out of a data source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from connectome.geometry import Box
from connectome.networks.checkpoint import Normalisation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.data.thinned import left_sections
from connectome.training.samples.augment import Augmentation, SampleShape
from connectome.training.samples.batches import BatchPlan, batch_at
from connectome.training.samples.places import random_cleft_voxel
from connectome.training.samples.voxel_samples import assigner_sample, detector_sample

PATCH = (4, 16, 16)
STILL = Augmentation(
    gamma=0, brightness=0, contrast=0, noisy=0, misaligned=0, missing=0, blurred=0, defocused=0, warped=0, ended=0
)


@given(st.integers(-5, 50), st.integers(1, 60), st.floats(1, 4), st.floats(0, 0.999))
def test_sections_that_are_left_are_the_volumes_own_as_far_apart_as_asked(
    first: int, count: int, ratio: float, phase: float
) -> None:
    sections = left_sections(first, first + count, ratio, phase)
    assert ((sections >= first) & (sections < first + count)).all()
    steps = np.diff(sections)
    assert ((steps >= int(ratio)) & (steps <= int(np.ceil(ratio)))).all()
    assert abs(len(sections) - count / ratio) <= 1


def test_a_ratio_of_four_thirds_leaves_every_fourth_section_out() -> None:
    assert left_sections(10, 22, 4 / 3, 0).tolist() == [10, 11, 12, 14, 15, 16, 18, 19, 20]
    assert left_sections(0, 7, 2, 0.5).tolist() == [1, 3, 5]
    assert left_sections(3, 6, 1, 0.4).tolist() == [3, 4, 5]


def test_a_thinned_source_shows_the_sections_that_are_left_and_no_other(folder: Path) -> None:
    data = Dataset(DataSource(folder=folder, box=Box((1, 3, 0), (8, 64, 61))))
    sections = np.array([1, 2, 4, 5, 7])
    thin = data.thinned(sections)
    assert thin.box == Box((0, 3, 0), (5, 64, 61))
    assert thin.resolution_nm == (45, 12, 12)
    wide = thin.box.grow((2, 4, 4))
    for name in ("image", "segmentation", "clefts"):
        whole = data.read(getattr(data, name), Box((0, *wide.start[1:]), (8, *wide.stop[1:])))
        seen = thin.read(getattr(thin, name), wide)
        assert np.array_equal(seen[2:7], whole[sections]) and not seen[:2].any() and not seen[7:].any()
    assert data.box.start[0] == 1 and data.resolution_nm == (30, 12, 12)


def test_clefts_lie_where_their_sections_went(folder: Path) -> None:
    data = Dataset(DataSource(folder=folder))
    thin = data.thinned(np.arange(1, 8, 2))
    assert [c.cleft_id for c in thin.annotated_clefts] == [c.cleft_id for c in data.annotated_clefts]
    for one, other in zip(thin.annotated_clefts, data.annotated_clefts, strict=True):
        assert one.centroid_voxel[0] == pytest.approx((other.centroid_voxel[0] - 1) / 2)
        assert one.centroid_voxel[1:] == other.centroid_voxel[1:]
    assert thin.sides == data.sides


def test_a_cleft_that_lost_its_sections_is_not_drawn(folder: Path) -> None:
    data = Dataset(DataSource(folder=folder))
    labels = data.read(data.clefts, data.box)
    assert (np.flatnonzero((labels == 1).any((1, 2))) == np.arange(2, 6)).all()
    thin = data.thinned(np.array([0, 1, 6, 7]))
    _, centre = random_cleft_voxel(thin, PATCH, np.random.default_rng(0))
    assert centre == tuple(int(c) for c in thin.annotated_clefts[-1].centroid_voxel) or centre[0] in range(4)
    for seed in range(8):
        cleft, centre = random_cleft_voxel(data.thinned(np.array([1, 3, 5])), PATCH, np.random.default_rng(seed))
        assert labels[2 * centre[0] + 1, centre[1], centre[2]] == cleft.cleft_id


@pytest.mark.parametrize("make", [detector_sample, assigner_sample])
def test_the_chance_decides_how_many_samples_are_thinned(folder: Path, make: object) -> None:
    data = Dataset(DataSource(folder=folder))

    def batches(how: Augmentation) -> list[torch.Tensor]:
        shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=how)
        plan = BatchPlan(datasets=[data], make=make, shape=shape, size=2, seed=1)  # type: ignore[arg-type]
        return [batch_at(plan, step).inputs for step in range(4)]

    never = batches(STILL)
    fields = STILL.__dict__
    for one, other in zip(never, batches(Augmentation(**fields | {"spacing": 3.0})), strict=True):
        assert torch.equal(one, other)
    always = batches(Augmentation(**fields | {"thinned": 1.0, "spacing": 2.0}))
    assert not any(torch.equal(one, other) for one, other in zip(never, always, strict=True))
    assert torch.equal(always[0], batches(Augmentation(**fields | {"thinned": 1.0, "spacing": 2.0}))[0])
