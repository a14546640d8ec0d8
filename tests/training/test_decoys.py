"""Decoys: shown as often as asked, with nothing to find in them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from connectome.errors import ConfigError, TrainingDataError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method, Normalisation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import SampleShape
from connectome.training.samples.places import detector_box, drawn_decoy
from connectome.training.samples.voxel_samples import assigner_sample
from connectome.training.train import train
from connectome.volumes.volume import Volume

DECOY = Box((2, 12, 20), (6, 15, 30))
SHAPE = SampleShape(patch_shape=(4, 16, 16), normalisation=Normalisation(), augmentation=None, decoy_share=1.0)


@pytest.fixture
def decoy_folder(folder: Path, tmp_path: Path) -> Path:
    """The data with one object that isn't a cleft, and a second one beyond x 40."""
    own = tmp_path / "with decoys"
    shutil.copytree(folder, own)
    grid = Volume.open(own / "clefts.zarr").grid
    labels = Volume.create(own / "decoys.zarr", shape=grid.shape, dtype=np.uint64, resolution_nm=grid.resolution_nm)
    labels.write(DECOY, np.full(DECOY.shape, 2**62 + 1, np.uint64))
    rows = [(5, 120, 160, 500), (2**62 + 1, 120, 162, 300)]
    text = "".join(f"{decoy_id},99,{z},{y},{x}\n" for decoy_id, z, y, x in rows)
    (own / "decoys.csv").write_text("decoy_id,size_voxels,z_nm,y_nm,x_nm\n" + text)
    return own


def test_decoys_of_the_box_are_known_by_their_voxel(decoy_folder: Path) -> None:
    whole = Dataset(DataSource(folder=decoy_folder))
    part = Dataset(DataSource(folder=decoy_folder, box=Box((0, 0, 0), (8, 64, 40))))
    assert [decoy.decoy_id for decoy in whole.decoys] == [5, 2**62 + 1]
    assert [(decoy.decoy_id, decoy.centre_voxel) for decoy in part.decoys] == [(2**62 + 1, (4, 13, 25))]
    assert len(whole.decoys) == 2


def test_an_assigner_is_shown_a_decoy_without_partners(decoy_folder: Path) -> None:
    data = Dataset(DataSource(folder=decoy_folder, box=Box((0, 0, 0), (8, 64, 40))))
    sample = assigner_sample(data, SHAPE, np.random.default_rng(0))
    seen = Box.of_shape((4, 16, 16), (2, 5, 17))
    expected = np.zeros(seen.shape, bool)
    expected[DECOY.slices(seen.start)] = True
    assert np.array_equal(sample.inputs[1] > 0, expected)
    assert sample.targets.shape == (2, 4, 16, 16)
    assert not sample.targets.any()
    assert np.array_equal(sample.weights > 0, data.read(data.segmentation, seen) != 0)


def test_a_detector_looks_at_decoys_as_often_as_asked(decoy_folder: Path) -> None:
    data = Dataset(DataSource(folder=decoy_folder, box=Box((0, 0, 0), (8, 64, 40))))
    generator = np.random.default_rng(0)
    for _ in range(20):
        assert detector_box(data, SHAPE, generator).contains_point((4, 13, 25))
    third = replace(SHAPE, decoy_share=0.3)
    drawn = [drawn_decoy(data, third, generator) is not None for _ in range(1000)]
    assert 0.25 < np.mean(drawn) < 0.35


def test_without_a_share_samples_are_those_of_data_without_decoys(decoy_folder: Path, folder: Path) -> None:
    none = replace(SHAPE, decoy_share=0.0)
    samples = [
        assigner_sample(Dataset(DataSource(folder=one)), none, np.random.default_rng(4)).inputs
        for one in (decoy_folder, folder)
    ]
    assert np.array_equal(*samples)


def test_training_with_decoys_needs_some_and_a_method_that_sees_them(
    decoy_folder: Path, folder: Path, recipe: Recipe
) -> None:
    wanted = replace(recipe, decoy_share=0.5)
    with pytest.raises(TrainingDataError, match=r"decoy_share 0.5: no source has decoys in its box: write them with"):
        train(Method.MASK, wanted)
    with pytest.raises(ConfigError, match="pruners aren't trained on decoys"):
        train(Method.MASK_PRUNER, replace(wanted, sources=(DataSource(folder=decoy_folder),)))
    (decoy_folder / "decoys.csv").write_text("decoy_id,z_nm\n1,2\n")
    with pytest.raises(TrainingDataError, match=r"decoys.csv isn't a table of decoys .*: write it anew"):
        train(Method.MASK, replace(wanted, sources=(DataSource(folder=decoy_folder),)))


def test_the_share_is_in_the_model_card(decoy_folder: Path, recipe: Recipe) -> None:
    card = train(Method.MASK, replace(recipe, steps=2, decoy_share=0.5, sources=(DataSource(folder=decoy_folder),)))
    assert card.training["decoy_share"] == 0.5
