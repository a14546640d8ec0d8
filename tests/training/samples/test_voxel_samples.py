"""Samples of polyadic clefts."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from connectome.geometry import Box
from connectome.networks.checkpoint import Normalisation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import SampleShape
from connectome.training.samples.places import one_of, random_cleft
from connectome.training.samples.voxel_samples import assigner_patch, assigner_sample
from connectome.volumes.volume import Volume

SHAPE = (6, 64, 96)
PRE, POSTS, LONELY = 2**60 + 1, (21, 22, 2**60 + 2), 31
PLAIN = SampleShape(patch_shape=(6, 48, 64), normalisation=Normalisation(), augmentation=None)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A cleft between one segment above and three below it, and one with a single pair."""
    folder = tmp_path_factory.mktemp("polyadic")
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[:, :30], segmentation[:, 34:] = PRE, LONELY
    for x, post in zip((8, 24, 40), POSTS, strict=True):
        segmentation[:, 34:, x : x + 14] = post
    clefts = np.zeros(SHAPE, np.uint64)
    clefts[1:5, 30:34, 8:54], clefts[1:5, 30:34, 70:80] = 5, 9
    image = np.where(clefts > 0, 40, 150) + np.random.default_rng(0).normal(0, 9, SHAPE)
    for name, array in (("raw", image.astype(np.uint8)), ("neuron_ids", segmentation), ("clefts", clefts)):
        volume = Volume.create(folder / f"{name}.zarr", shape=SHAPE, dtype=array.dtype, resolution_nm=(30, 12, 12))
        volume.write(volume.box, array)
    rows = [(5, PRE, post, 31.0) for post in POSTS] + [(9, PRE, LONELY, 75.0)]
    with (folder / "annotations.csv").open("w") as file:
        writer = csv.writer(file)
        points = [f"{name}{axis}_nm" for name in ("", "pre_", "post_") for axis in "zyx"]
        writer.writerow(["cleft_id", "pre_segment_id", "post_segment_id", "size_voxels", *points])
        for cleft, pre, post, x in rows:
            writer.writerow([cleft, pre, post, 99, *[90, 384, x * 12] * 3])
    return Dataset(DataSource(folder=folder))


def test_an_assigner_learns_all_partners_of_a_cleft(data: Dataset) -> None:
    cleft = data.annotated_clefts[0]
    sample = assigner_patch(data, cleft, (3, 32, 31), PLAIN, np.random.default_rng(0))
    seen = Box((0, 8, 0), (6, 56, 63))
    segments = data.read(data.segmentation, seen)
    pre, post = (target[:, :, 1:] > 0 for target in sample.targets)
    assert np.array_equal(pre, segments == PRE)
    assert np.array_equal(post, np.isin(segments, np.array(POSTS, np.uint64)))
    assert len(np.unique(segments[post])) == 3
    assert np.array_equal(sample.weights[:, :, 1:] > 0, segments != 0)


def test_clefts_are_drawn_alike_however_many_partners_they_have(data: Dataset) -> None:
    generator = np.random.default_rng(0)
    drawn = [random_cleft(data, generator).cleft_id for _ in range(400)]
    assert set(drawn) == {5, 9}
    assert 160 < drawn.count(5) < 240


def test_a_drawn_assigner_sample_shows_one_cleft(data: Dataset) -> None:
    sample = assigner_sample(data, PLAIN, np.random.default_rng(1))
    assert set(np.unique(sample.inputs[1])) == {0.0, 1.0}
    assert sample.targets[0].any() and sample.targets[1].any()


def test_ids_that_differ_in_their_last_bit_stay_apart() -> None:
    segments = np.array([2**60, 2**60 + 1, 2**60 + 2, 7], np.uint64)
    assert one_of(segments, (2**60 + 1, 7)).tolist() == [False, True, False, True]
    assert one_of(segments.astype(np.uint8), (7, 2**60)).tolist() == [False, False, False, True]
