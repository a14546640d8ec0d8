"""Data sources as text: folders and phantoms."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import ConfigError, TrainingDataError
from connectome.phantom import PhantomConfig, PhantomPreset
from connectome.training.checks import check_apart, check_labels, check_partners
from connectome.training.choices import Trained, Unpaired
from connectome.training.config import read_training
from connectome.training.dataset import Dataset
from connectome.training.source import DataSource

PHANTOM = "phantom:8,128,128@seed=1"


@pytest.fixture(scope="module")
def opened() -> Dataset:
    return Dataset(DataSource.parse(PHANTOM))


def test_a_phantom_is_a_data_source_too() -> None:
    source = DataSource.parse("phantom:8,64,64@seed=7:preset=insect*0.5")
    config = PhantomConfig(shape=(8, 64, 64), seed=7, preset=PhantomPreset.INSECT)
    assert source == DataSource(phantom=config, weight=0.5)
    assert source.name == source.label == "phantom:8,64,64@seed=7:preset=insect"


def test_a_data_source_is_no_phantom_and_volumes_at_once() -> None:
    with pytest.raises(ConfigError, match="a phantom or has a folder, not both"):
        DataSource(folder=Path("d"), phantom=PhantomConfig())
    with pytest.raises(ConfigError, match="without a folder needs image"):
        DataSource()


def test_a_configuration_file_may_name_a_phantom(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(f'output = "m.safetensors"\n[[data]]\nphantom = "{PHANTOM}"\nweight = 0.5\n')
    _, recipe = read_training(Trained.ASSIGNER, tmp_path / "t.toml", {})
    assert recipe.sources == (DataSource.parse(f"{PHANTOM}*0.5"),)


@pytest.mark.parametrize("other", ["phantom:6,96,96@seed=1", PHANTOM])
def test_phantoms_of_one_seed_are_not_apart(opened: Dataset, other: str) -> None:
    with pytest.raises(TrainingDataError, match="the same seed"):
        check_apart([opened], [Dataset(DataSource.parse(other))])


@pytest.mark.parametrize("other", ["phantom:8,128,128@seed=2", "phantom:8,96,96@seed=1:preset=insect"])
def test_phantoms_of_another_seed_or_preset_are_apart(opened: Dataset, other: str) -> None:
    check_apart([opened], [Dataset(DataSource.parse(other))])


def test_a_phantoms_truth_needs_no_looking_over(opened: Dataset) -> None:
    check_labels(opened, (1, 1, 1))
    check_partners(opened, (1, 1, 1), Unpaired.REFUSE)
