"""A training from flags and from TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import BoxError, ConfigError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method
from connectome.networks.device import DeviceChoice
from connectome.training.choices import Keep, Trained, Unpaired
from connectome.training.config import read_training
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import Augmentation

WHOLE = """
output = "model.safetensors"
steps = 200
batch = 3
patch_shape = [16, 96, 96]
widths = [16, 32]
learning_rate = 2e-3
average_decay = 0.99
positive_weight = 4
seed = 7
device = "cpu"
start_from = "before.safetensors"
save_every = 50
keep = "last"
unpaired = "allow"
representation = "stdt"

[[data]]
folder = "lab"
box = "0:10,0:20,0:30"
weight = 0.5

[[data]]
image = "gs://bucket/em/|neuroglancer-precomputed:"
segmentation = "ids.zarr"
clefts = "clefts.n5"
annotations = "synapses.csv"

[[validation]]
folder = "lab"
box = "0:10,0:20,30:40"

[augmentation]
warped = 0
shift = 8
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "train.toml"
    path.write_text(WHOLE)
    return path


def test_a_file_sets_everything(config: Path) -> None:
    method, recipe = read_training(Trained.DETECTOR, config, {})
    assert method is Method.STDT
    assert recipe.sources[0] == DataSource(folder=Path("lab"), box=Box((0, 0, 0), (10, 20, 30)), weight=0.5)
    assert recipe.sources[1].url("image") == "gs://bucket/em/|neuroglancer-precomputed:"
    assert recipe.validation[0].box == Box((0, 0, 30), (10, 20, 40))
    assert (recipe.name, recipe.output) == ("model", Path("model.safetensors"))
    assert (recipe.patch_shape, recipe.widths) == ((16, 96, 96), (16, 32))
    assert (recipe.steps, recipe.batch, recipe.seed, recipe.save_every) == (200, 3, 7, 50)
    assert (recipe.learning_rate, recipe.average_decay, recipe.positive_weight) == (2e-3, 0.99, 4.0)
    assert (recipe.device, recipe.keep, recipe.unpaired) == (DeviceChoice.CPU, Keep.LAST, Unpaired.ALLOW)
    assert recipe.augmentation == Augmentation(warped=0, shift=8)


def test_flags_win_over_the_file(config: Path) -> None:
    flags = {"steps": 9, "data": ["other@0:1,0:1,0:1*2"], "widths": (4, 8), "seed": None, "validation": []}
    _, recipe = read_training(Trained.DETECTOR, config, flags)
    assert (recipe.steps, recipe.widths, recipe.seed) == (9, (4, 8), 7)
    assert recipe.sources == (DataSource.parse("other@0:1,0:1,0:1*2"),)
    assert recipe.validation[0].folder == Path("lab")


def test_each_command_has_defaults_of_its_own() -> None:
    flags = {"data": ["d"], "output": Path("m.safetensors")}
    found = {kind: read_training(kind, None, flags) for kind in Trained}
    assert [found[kind][0] for kind in Trained] == [Method.MASK, Method.AVAN, Method.MASK_PRUNER]
    assert [found[kind][1].batch for kind in Trained] == [2, 4, 8]
    assert found[Trained.DETECTOR][1].patch_shape == (16, 128, 128)
    proximity = read_training(Trained.PRUNER, None, flags | {"method": "proximity-pruner"})
    assert proximity[0] is Method.PROXIMITY_PRUNER


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("stepps = 3", ConfigError, "unknown key 'stepps'"),
        ('method = "mask-pruner"', ConfigError, "unknown key 'method'"),
        ('representation = "avan"', ConfigError, "representation 'avan' isn't one of mask, stdt, signed-proximity"),
        ('keep = "most"', ConfigError, "keep = 'most' isn't valid"),
        ("patch_shape = [1, 2]", ConfigError, "patch_shape"),
        ("steps = 0", ConfigError, "steps 0: each must be at least 1"),
        ("average_decay = 1.5", ConfigError, r"average_decay 1\.5 must be a number from 0 to 1"),
        ("[augmentation]\nwarp = 1", ConfigError, r"\[augmentation\]: unknown key 'warp'"),
        ("[augmentation]\nshift = 1.5", ConfigError, "shift = 1.5 isn't valid"),
        ("[augmentation]\nmissing = 2", ConfigError, "augmentation's missing is 2.0: it must be a number from 0 to 1"),
        ("augmentation = 3", ConfigError, r"it must be a table"),
        ("[[validation]]\nfoldr = 'd'", ConfigError, "a data source: unknown key 'foldr'"),
        ("[[validation]]\nimage = 'd'", ConfigError, "without a folder needs"),
        ("[[validation]]\nfolder = 'd'\nbox = '0:1'", BoxError, "isn't of the form"),
        ("validation = 'd'", ConfigError, r"\[\[data\]\]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, error: type[Exception], message: str) -> None:
    path = tmp_path / "train.toml"
    path.write_text(content)
    with pytest.raises(error, match=message):
        read_training(Trained.DETECTOR, path, {"data": ["d"], "output": Path("m")})


def test_without_data_or_output_nothing_begins() -> None:
    with pytest.raises(ConfigError, match="no data to train on"):
        read_training(Trained.ASSIGNER, None, {"output": Path("m")})
    with pytest.raises(ConfigError, match="no place for the checkpoint"):
        read_training(Trained.ASSIGNER, None, {"data": ["d"]})
