"""Data sources: as text, folders, volumes one by one, and phantoms."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import ConfigError, TrainingDataError
from connectome.geometry import Box
from connectome.phantom import PhantomConfig, PhantomPreset
from connectome.training.choices import Trained, Unpaired
from connectome.training.config import read_training
from connectome.training.data.checks import check_apart, check_labels, check_partners
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource

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


@pytest.mark.parametrize(
    ("text", "weight", "box"),
    [("d", 1.0, None), ("d*0.5", 0.5, None), ("d@0:1,0:2,0:3*2", 2.0, Box((0, 0, 0), (1, 2, 3)))],
)
def test_a_data_source_is_read_from_text(text: str, weight: float, box: Box | None) -> None:
    assert DataSource.parse(text) == DataSource(folder=Path("d"), box=box, weight=weight)


@pytest.mark.parametrize("text", ["d*none", "d*0", "d*-1", "d*nan", "d*inf"])
def test_a_weight_that_is_no_number_above_zero_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="weight"):
        DataSource.parse(text)


def test_without_a_folder_every_volume_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"without a folder needs .*; not given: clefts"):
        DataSource(image="i", segmentation="s", annotations=Path("t.csv"))


def test_what_is_given_wins_over_the_folder() -> None:
    source = DataSource(folder=Path("lab"), image="s3://bucket/em/|zarr3:")
    assert source.url("image") == "s3://bucket/em/|zarr3:"
    assert source.url("clefts") == Path("lab/clefts.zarr")
    assert source.table == Path("lab/annotations.csv")


@pytest.mark.parametrize(
    ("source", "label"),
    [
        (DataSource(folder=Path("/data/lab")), "lab"),
        (DataSource(image="gs://b/em/", segmentation="s", clefts="c", annotations=Path("t")), "em"),
        (DataSource(image="/d/em.zarr|zarr3:", segmentation="s", clefts="c", annotations=Path("t")), "em.zarr|zarr3"),
    ],
)
def test_a_model_card_calls_it_by_its_last_name(source: DataSource, label: str) -> None:
    assert source.label == label
