"""Models by name and by path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectome.errors import CheckpointError
from connectome.models.lookup import DEFAULTS, find_model, known_names, load_model, model_path
from connectome.networks.checkpoint import Method, ModelRole
from connectome.weights.manifest import shipped_models


@pytest.mark.parametrize("name", list(shipped_models()))
def test_each_shipped_model_loads_by_its_name_in_its_role(name: str) -> None:
    method = Method(shipped_models()[name].method)
    loaded = load_model(method.role, name)
    assert (loaded.card.name, loaded.card.method) == (name, method)
    assert name in known_names(method.role)


@pytest.mark.parametrize("role", list(ModelRole))
def test_without_a_name_the_default_of_the_role_is_taken(role: ModelRole) -> None:
    assert model_path(role, None) == find_model(DEFAULTS[role].value)


def test_a_path_with_a_slash_or_a_suffix_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = find_model("mask")
    shutil.copy(shipped, tmp_path / "mask")
    shutil.copy(shipped, tmp_path / "mask.safetensors")
    monkeypatch.chdir(tmp_path)
    assert find_model("mask") == shipped
    assert find_model("./mask") == Path("mask")
    assert find_model("mask.safetensors") == Path("mask.safetensors")


def test_a_file_without_slash_and_suffix_is_taken_where_no_model_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(find_model("mask"), tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert load_model(ModelRole.DETECTOR, "mine").card.name == "mask"


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CheckpointError, match=r"no detector is named 'msk': known are .*mask.*path") as caught:
        find_model("msk", ModelRole.DETECTOR)
    assert "avan" not in str(caught.value)
    with pytest.raises(CheckpointError, match=r"no model is named 'msk': known are .*avan"):
        find_model("msk")


def test_a_path_where_nothing_lies_is_refused_with_the_known_names(tmp_path: Path) -> None:
    for wanted in (str(tmp_path / "none"), "none.safetensors"):
        with pytest.raises(CheckpointError, match=r"none.* the file doesn't exist; models that ship: .*avan"):
            find_model(wanted, ModelRole.ASSIGNER)


def test_a_shipped_model_of_the_other_role_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"model 'avan' is no detector, but assigner: known are .*mask"):
        load_model(ModelRole.DETECTOR, "avan")
