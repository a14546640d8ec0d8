"""Tuning: a grid cell's score is the score of a build with its parameters, and networks run once."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotated_world import BOX, GRID, annotated_volumes, make_annotated_world, world_build
from small_world import SmallWorld

from connectome.errors import BoxError, ConfigError, StorageError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method
from connectome.pipeline.build import build_volume
from connectome.pipeline.request import build_request, read_request
from connectome.scoring.edges import score_edges
from connectome.store.database import Database
from connectome.tuning.annotated_volume import AnnotatedVolume
from connectome.tuning.grid import Cell, Index, ParameterGrid, f1_of
from connectome.tuning.kept_outputs import PREDICTION
from connectome.tuning.report import config_text, tuning_text, write_tuning
from connectome.tuning.tune import Tuning, grid_for, tune


@pytest.fixture(scope="module", autouse=True)
def a_halo_that_leaves_a_border() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectome.tuning.annotated_volume.HALO_NM", 100.0)
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_annotated_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def tuning(world: SmallWorld, outputs: Path) -> Tuning:
    return tune(annotated_volumes(world, outputs), GRID)


def built_counts(
    world: SmallWorld, tuning: Tuning, cell: Cell, data_folder: Path, name: str, **changes: Any
) -> tuple[int, int, int]:
    """What a build with a cell's parameters gets: true positives, predicted, annotated."""
    box = Box.parse(tuning.built_boxes[0])
    build_volume(world.request(data_folder, name=name, box=box, **cell | changes))
    with Database.open(None, data_folder) as database:
        score = score_edges(database, name, world.folder, Box.parse(BOX))
    return score.true_positives, score.n_predicted, score.n_reference


def with_values(**tried: tuple[float, ...]) -> ParameterGrid:
    """The grid of the world with other values."""
    return ParameterGrid({**GRID.tried, **tried})


def test_the_grid_has_different_scores_and_the_best_is_chosen(tuning: Tuning) -> None:
    f1 = tuning.tuned.f1
    assert len(np.unique(f1)) > 20
    assert tuning.f1 >= f1.max() - 0.005
    assert 0.2 < tuning.f1 < 1
    assert Box.parse(tuning.built_boxes[0]) == Box((0, 1, 0), (40, 100, 89))


@pytest.mark.parametrize("index", [None, (0, 0, 0, 1, 1, 0, 0, 0), (2, 1, 1, 1, 0, 0, 0, 0)])
def test_the_score_of_a_cell_is_that_of_a_build_with_its_parameters(
    world: SmallWorld, tuning: Tuning, module_data_folder: Path, index: Index | None
) -> None:
    place = index or tuning.tuned.chosen()
    built = built_counts(world, tuning, GRID.cell(place), module_data_folder, f"cell-{index}")
    assert built == tuple(tuning.tuned.counts[(0, *place)])


def test_what_decides_about_further_partners_is_tuned_in_the_polyadic_mode(
    world: SmallWorld, outputs: Path, tuning: Tuning, module_data_folder: Path, tmp_path: Path
) -> None:
    grid = with_values(
        threshold=(0.7,),
        min_size_voxels=(50,),
        duplicate_distance_nm=(0.0,),
        min_score=(0.0,),
        min_contact=(0.0, 0.3),
        pre_threshold=(0.5, 0.52),
        post_threshold=(0.4, 0.5),
    )
    on = replace(annotated_volumes(world, outputs), build=world_build(world, polyadic=True))
    found = tune(on, grid)
    assert found.tuned.counts.shape == (1, 1, 1, 2, 1, 1, 2, 2, 2, 3)
    assert len(np.unique(found.tuned.f1)) > 4
    for index in (found.tuned.chosen(), (0, 0, 1, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1, 0, 1)):
        name = "-".join(map(str, index))
        built = built_counts(world, found, grid.cell(index), module_data_folder, name, polyadic=True)
        assert built == tuple(found.tuned.counts[(0, *index)])
    write_tuning(found, on.build, tmp_path / "tuned.toml")
    values = tomllib.loads((tmp_path / "tuned.toml").read_text())
    assert values["polyadic"] is True
    assert {name: values[name] for name in ("min_contact", "pre_threshold", "post_threshold")} == {
        name: found.cell[name] for name in ("min_contact", "pre_threshold", "post_threshold")
    }
    assert "min contact" in tuning_text(found) and "min contact" not in tuning_text(tuning)
    assert (tmp_path / "tuned.csv").read_text().startswith("threshold,min_size_voxels,dilation_nm")


def test_the_usual_grid_is_that_of_the_mode(world: SmallWorld) -> None:
    dyadic, polyadic = (grid_for(world_build(world, polyadic=mode), {}) for mode in (None, True))
    assert dyadic == ParameterGrid.usual() and dyadic.shape[5:] == (1, 1, 1)
    assert polyadic == ParameterGrid.usual(polyadic=True) and min(polyadic.shape[5:]) > 2
    asked = grid_for(world_build(world, polyadic=True), {"pre_threshold": (0.3,), "threshold": (0.2, 0.4)})
    assert (asked.tried["pre_threshold"], asked.tried["threshold"]) == ((0.3,), (0.2, 0.4))
    assert asked.tried["post_threshold"] == polyadic.tried["post_threshold"]
    with pytest.raises(ConfigError, match="post thresholds are of use in the polyadic mode alone"):
        grid_for(world_build(world), {"post_threshold": (0.3,)})


@pytest.mark.parametrize("polyadic", [False, True])
def test_where_pairs_are_judged_the_score_of_a_cell_is_that_of_a_build_too(
    world: SmallWorld, outputs: Path, module_data_folder: Path, polyadic: bool
) -> None:
    models = {"assigner": str(world.pruner(Method.MASK_PRUNER)), "polyadic": polyadic}
    grid = with_values(threshold=(0.7,), min_size_voxels=(50,), duplicate_distance_nm=(0.0,), min_score=(0.0,))
    tuned = tune(replace(annotated_volumes(world, outputs), build=world_build(world, **models)), grid)
    for place, dilation_nm in enumerate(grid.tried["dilation_nm"]):
        name = f"pairs-{polyadic}-{dilation_nm:g}"
        built = built_counts(world, tuned, grid.cell((0, 0, place, 0, 0, 0, 0, 0)), module_data_folder, name, **models)
        assert built == tuple(tuned.tuned.counts[0, 0, 0, place, 0, 0, 0, 0, 0])


def test_the_written_parameters_are_what_a_build_reads(world: SmallWorld, tuning: Tuning, tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    path.write_text(config_text(tuning.cell, world_build(world), "two\nlines"))
    assert path.read_text().startswith("# two\n# lines\n")
    request = read_request(path, {"image": "raw", "segmentation": "ids"})
    assert request.parameters == tuning.cell
    assert (request.models.detector, request.models.assigner) == (str(world.detector), str(world.assigner))


def test_what_else_a_build_needs_is_written_where_it_is_not_the_default(tuning: Tuning) -> None:
    asked = {"polyadic": True, "post_threshold": 0.123456789, "connectivity": 6, "normalisation": "3,99"}
    models = {"assigner": "nearest", "direction": "avan"}
    build = build_request({"image": "", "segmentation": "", **models, **asked})
    values = tomllib.loads(config_text(tuning.cell, build))
    assert {name: values[name] for name in values if name not in ("threshold", "min_size", "dilation")} == {
        "assigner": "nearest",
        "direction": "avan",
        "polyadic": True,
        "post_threshold": 0.123456789,
        "connectivity": 6,
        "normalisation": "3,99",
        "duplicate_distance": tuning.cell["duplicate_distance_nm"],
        "min_score": tuning.cell["min_score"],
    }


def test_a_second_tuning_needs_no_network_and_gives_the_same(
    world: SmallWorld,
    outputs: Path,
    tuning: Tuning,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("a network ran")

    for name in ("tile_predictor", "open_assigner", "labelled"):
        monkeypatch.setattr(f"connectome.pipeline.steps.Steps.{name}", refuse)
    began = time.monotonic()
    again = tune(annotated_volumes(world, outputs), GRID)
    assert time.monotonic() - began < 20
    assert np.array_equal(again.tuned.counts, tuning.tuned.counts)
    assert "another segmentation" not in caplog.text
    smaller = tune(annotated_volumes(world, outputs), with_values(dilation_nm=(24.0,), min_size_voxels=(50,)))
    assert np.array_equal(smaller.tuned.counts, tuning.tuned.counts[:, :, 1:, :1])


def test_outputs_of_another_connectivity_are_not_taken_for_these(
    world: SmallWorld, outputs: Path, tuning: Tuning
) -> None:
    swapped = replace(annotated_volumes(world, outputs), build=world_build(world, connectivity=6))
    tune(swapped, with_values(threshold=(0.7,), dilation_nm=(48.0,)))
    told = [json.loads((folder / "made_of.json").read_text())["connectivity"] for folder in outputs.iterdir()]
    assert sorted(told) == [6, 26]


def test_several_volumes_count_by_weight(world: SmallWorld, outputs: Path, tuning: Tuning) -> None:
    two = tune(annotated_volumes(world, outputs, f"{world.folder}@{BOX}*3", f"{world.folder}@4:38,10:95,5:80"), GRID)
    assert two.tuned.counts.shape[0] == 2
    assert np.array_equal(two.tuned.counts[0], two.tuned.counts[1])
    assert two.cell == tuning.cell
    assert float(f1_of(two.chosen_counts)[0]) == pytest.approx(two.f1)


def test_curves_pass_through_the_chosen_cell(tuning: Tuning) -> None:
    true, predicted, annotated = tuning.chosen_counts[0]
    place = GRID.tried["threshold"].index(tuning.cell["threshold"])
    assert tuning.over_threshold.precision[place] == true / predicted
    assert tuning.over_threshold.recall[place] == true / annotated
    assert (np.diff(tuning.over_score.recall) <= 0).all()
    assert len(tuning.over_score.values) > 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threshold": (0.0, 0.5)}, "threshold 0.0 must be greater than 0 and at most 1"),
        ({"threshold": (0.7, 0.5)}, "must ascend"),
        ({"min_score": ()}, "there must be one"),
        ({"dilation_nm": (900.0,)}, "dilation 900.0 must be greater than 0 and at most 500 nm"),
        ({"min_contact": (0.5, 1.5)}, "min contact 1.5 must be from 0 to 1"),
    ],
)
def test_values_that_no_build_takes_are_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ParameterGrid(wrong)


def test_a_box_outside_of_the_volume_is_refused(world: SmallWorld, outputs: Path) -> None:
    with pytest.raises(BoxError, match="lies outside the segmentation"):
        tune(annotated_volumes(world, outputs, f"{world.folder}@0:90,0:10,0:10"), GRID)


@pytest.mark.parametrize(("text", "message"), [("a*x", "isn't a weight"), ("a*0", "is useless")])
def test_a_volume_with_a_wrong_weight_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AnnotatedVolume.parse(text)


def test_a_broken_file_of_outputs_is_told(world: SmallWorld, tmp_path: Path) -> None:
    on, grid = annotated_volumes(world, tmp_path), with_values(threshold=(0.7,), dilation_nm=(48.0,))
    tune(on, grid)
    (folder,) = tmp_path.iterdir()
    for path in folder.glob("*-178*"):
        if path.is_file():
            path.unlink()
    (folder / PREDICTION).write_bytes(b"nothing")
    with pytest.raises(StorageError, match="delete it, it will be made again"):
        tune(on, grid)
