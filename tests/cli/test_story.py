"""The story that docs/training.md tells, with small networks and a few steps: two files, two trainings, tune, build."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cremi_export import write_cremi
from typer.testing import Result

from connectome.phantom import PhantomConfig, write_phantom

Cli = Callable[..., Result]

DETECTOR = """
output = "lab-mask.safetensors"
steps = 6
batch = 2
patch_shape = [8, 32, 32]
widths = [4, 8]
save_every = 3

[[data]]
folder = "A"

[[data]]
folder = "B"
box = "0:40,0:256,0:128"

[[validation]]
folder = "B"
box = "0:40,0:256,128:256"
"""
ASSIGNER = DETECTOR.replace("lab-mask", "lab-avan")


def run(cli: Cli, *arguments: object) -> str:
    result = cli(*arguments)
    assert result.exit_code == 0, (arguments, result.stderr)
    return result.stdout


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with two files, in which the story takes place."""
    monkeypatch.chdir(tmp_path)
    for seed, name in ((3, "A"), (4, "B")):
        folder = tmp_path / f"phantom-{name}"
        write_phantom(PhantomConfig(shape=(40, 256, 256), seed=seed), folder)
        write_cremi(folder, tmp_path / f"{name}.hdf")
    (tmp_path / "detector.toml").write_text(DETECTOR)
    (tmp_path / "assigner.toml").write_text(ASSIGNER)
    return tmp_path


@pytest.mark.slow
def test_two_files_become_trained_networks_tuned_parameters_and_a_connectome(
    cli: Cli, lab: Path, data_folder: Path
) -> None:
    for name in ("A", "B"):
        told = run(cli, "volume", "import", "cremi", f"{name}.hdf", name)
        for file in ("raw.zarr", "neuron_ids.zarr", "clefts.zarr", "annotations.csv"):
            assert f"{name}/{file}" in told
    run(cli, "train", "detector", "--config", "detector.toml")
    refused = cli("train", "assigner", "--config", "assigner.toml")
    if refused.exit_code:
        assert "--unpaired allow" in refused.stderr
        run(cli, "train", "assigner", "--config", "assigner.toml", "--unpaired", "allow")
    for model in ("lab-mask", "lab-avan"):
        assert {(lab / f"{model}.{end}").is_file() for end in ("safetensors", "csv", "png")} == {True}
    models = ("--detector", "lab-mask.safetensors", "--assigner", "lab-avan.safetensors")
    grid = ("--thresholds", "0.4,0.5", "--min-sizes", "200,2000", "--dilations", "48", "--duplicate-distances", "0")
    where, kept = ("--data", "B@0:40,0:256,128:256"), ("--data-folder", data_folder)
    tuned = run(cli, "tune", *where, *models, *grid, "--output", "build.toml", *kept)
    assert tuned.startswith("chosen of 20 combinations") and "written: build.toml" in tuned
    volumes = ("--image", "A/raw.zarr", "--segmentation", "A/neuron_ids.zarr")
    built = json.loads(run(cli, "build", "volume", "--config", "build.toml", *volumes, *kept, "--json"))
    assert built["run"] == "default" and built["box"] == "0:40,0:256,0:256"
    assert built["clefts"] >= built["synapses"]
