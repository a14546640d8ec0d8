"""The recipes of the weights that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.networks.checkpoint import Method
from connectome.training.choices import Trained
from connectome.training.config import METHODS, read_training
from connectome.weights.manifest import shipped_models

FOLDER = Path(__file__).parents[2] / "benchmarks" / "recipes"


def test_every_shipped_model_has_a_recipe() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(shipped_models())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_is_one_command_that_trains_the_method_of_the_model(path: Path) -> None:
    command = path.read_text().splitlines()[0].split(":")[0].removeprefix("# connectome train ")
    shipped = Method(shipped_models()[path.stem].method)
    method, recipe = read_training(Trained(command), path, {})
    assert method is shipped and method in METHODS[Trained(command)]
    assert recipe.output.name == path.name.replace(".toml", ".safetensors")
    assert recipe.augmentation.thinned > 0 and recipe.augmentation.resampled > 0
    trained, measured = ({source.name for source in sources} for sources in (recipe.sources, recipe.validation))
    assert len(trained) == len(recipe.sources) and len(measured) == 1
