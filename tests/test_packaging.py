"""What is in the repository is what gets installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MAPPED = {"cli": "connectome.cli", "migrations": "connectome.migrations"}
BUILD_WHEEL = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def package_folders() -> dict[str, Path]:
    """Every folder with code, by the name of the package it installs as."""
    folders: dict[str, Path] = {}
    for top in ("connectome", *MAPPED):
        for init in (ROOT / top).rglob("__init__.py"):
            first, *rest = init.parent.relative_to(ROOT).parts
            folders[".".join([MAPPED.get(first, first), *rest])] = init.parent
    return folders


def distribution_name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built, without network, from a copy of the repository."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("connectome", *MAPPED):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD_WHEEL, str(copy)], cwd=copy, check=True, capture_output=True)
    (wheel,) = copy.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_list_of_packages_equals_the_folders() -> None:
    assert sorted(settings()["tool"]["setuptools"]["packages"]) == sorted(package_folders())


def test_every_folder_with_code_is_a_package() -> None:
    loose = {
        path.parent.relative_to(ROOT)
        for top in ("connectome", *MAPPED)
        for path in (ROOT / top).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert loose == set()


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_data_file(wheel_files: set[str]) -> None:
    expected = {
        f"{name.replace('.', '/')}/{path.name}"
        for name, folder in package_folders().items()
        for path in folder.iterdir()
        if path.suffix in {".py", ".mako", ".safetensors", ".md", ".png", ".toml"} or path.name == "py.typed"
    }
    assert expected <= wheel_files


@pytest.mark.slow
def test_the_wheel_holds_what_runs_without_a_checkout(wheel_files: set[str]) -> None:
    assert "connectome/migrations/script.py.mako" in wheel_files
    assert any(re.fullmatch(r"connectome/migrations/versions/\w+\.py", n) and "__init__" not in n for n in wheel_files)
    weights = {name for name in wheel_files if name.endswith(".safetensors")}
    assert weights
    assert {name.replace(".safetensors", ".md") for name in weights} <= wheel_files
    assert not any(name.startswith(("tests/", "cli/", "migrations/")) for name in wheel_files)


def test_constraints_pin_every_distribution_that_pyproject_names() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {distribution_name(line) for line in lines if re.fullmatch(r"[\w.-]+==[\w.]+", line)}
    assert len(pins) == sum(not line.startswith("#") for line in lines)
    project = settings()["project"]
    asked = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    assert {distribution_name(requirement) for requirement in asked} - {"connectome-em"} <= pins


def test_contributing_shows_the_floors_that_are_checked() -> None:
    (contract,) = (c for c in settings()["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    floors = [layer.replace(" | ", ", ") for layer in contract["layers"]]
    table = (ROOT / "CONTRIBUTING.md").read_text().split("| floor | what is there |")[1].split("\n\n")[0]
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == floors


def test_the_files_where_contributing_says_to_begin_are_there() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().split("| to add | look at |")[1].split("\n\n")[0]
    named = re.findall(r"`((?:\w+/)*\w+(?:\.py|\.md|/))`", table)
    assert len(named) > 20
    missing = [name for name in named if not any((ROOT / top / name).exists() for top in ("", "connectome"))]
    assert missing == []
