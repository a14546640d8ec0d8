"""The main job on real mouse cortex (AC3): imported, built, and scored on the box that nothing was fitted to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

TEST_BOX = "0:140,0:512,0:160"


@pytest.fixture(scope="module")
def volumes(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from typer.testing import CliRunner

    from connectome.cli.main import app

    folder = tmp_path_factory.mktemp("ac3")
    result = CliRunner().invoke(app, ["volume", "import", "cremi", str(real_data / "ac3.hdf"), str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.slow
def test_edges_of_the_test_box_are_found(
    volumes: Path, module_data_folder: Path, real_data: Path, cli: Callable[..., Result]
) -> None:
    built = cli(
        "build",
        "volume",
        "--image",
        volumes / "raw.zarr",
        "--segmentation",
        volumes / "neuron_ids.zarr",
        "--name",
        "ac3",
        "--box",
        "0:140,0:512,0:192",
        "--data-folder",
        module_data_folder,
    )
    assert built.exit_code == 0, built.output
    scored = cli(
        "evaluate",
        "edges",
        "--run",
        "ac3",
        "--reference",
        real_data / "ac3.hdf",
        "--box",
        TEST_BOX,
        "--json",
        "--data-folder",
        module_data_folder,
    )
    assert scored.exit_code == 0, scored.output
    found = json.loads(scored.stdout)
    assert found["n_reference"] == 47
    assert found["f1"] >= 0.75


@pytest.mark.slow
def test_partners_of_the_test_boxes_annotated_clefts_are_found(
    volumes: Path, real_data: Path, cli: Callable[..., Result]
) -> None:
    scored = cli(
        "evaluate",
        "assignment",
        "--image",
        volumes / "raw.zarr",
        "--segmentation",
        volumes / "neuron_ids.zarr",
        "--reference",
        real_data / "ac3.hdf",
        "--box",
        TEST_BOX,
        "--json",
    )
    assert scored.exit_code == 0, scored.output
    found = json.loads(scored.stdout)
    assert found["n"] == 47
    assert found["accuracy"] >= 0.94
