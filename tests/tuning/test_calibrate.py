"""Calibration: a model from judged synapses, kept with the assigner, used by builds with the same detector."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotated_world import BOX, make_annotated_world, world_build
from small_world import SmallWorld, build

from connectome.errors import CheckpointError, ConfigError, ReferenceDataError, RunConflictError
from connectome.models.assigners import NEAREST, ChosenAssigner, read_confidence, store_confidence
from connectome.networks.checkpoint import ModelRole, load_checkpoint, save_checkpoint
from connectome.pipeline.build import build_volume
from connectome.scoring.edges import score_edges
from connectome.store.database import Database
from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes
from connectome.tuning.calibrate import Calibration, calibrate, save_calibration

HALVES = ("0:40,0:100,0:45", "0:40,0:100,45:90")
PARAMETERS = {"threshold": 0.65, "min_size_voxels": 20}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_annotated_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def on(world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> AnnotatedVolumes:
    volumes = [AnnotatedVolume.parse(f"{world.folder}@{box}") for box in HALVES]
    return AnnotatedVolumes(
        volumes=tuple(volumes),
        build=world_build(world, **PARAMETERS),
        outputs=tmp_path_factory.mktemp("outputs"),
    )


@pytest.fixture(scope="module")
def calibration(world: SmallWorld, on: AnnotatedVolumes) -> Calibration:
    return calibrate(on, [AnnotatedVolume.parse(f"{world.folder}@{BOX}")])


def test_every_synapse_that_counts_is_used_once(calibration: Calibration) -> None:
    fitted = calibration.model.fitted_on
    n = sum(volume["synapses"] for volume in fitted["volumes"].values())
    assert n == len(calibration.raw.correct) == sum(len(one.correct) for one in calibration.left_out) > 40
    assert fitted["parameters"]["threshold"] == 0.65
    assert fitted["detector"]["name"] == "detector" and len(fitted["assigner"]["weights_sha256"]) == 64
    assert [one.name for one in calibration.summaries()][::4] == ["raw scores", calibration.checks[0].name]


def test_confidences_are_right_on_average_and_told_for_every_check(calibration: Calibration) -> None:
    (check,) = calibration.checks
    assert check.confidence.mean() == pytest.approx(check.correct.mean(), abs=0.1)
    assert check.confidence[check.correct].mean() > check.confidence[~check.correct].mean() + 0.02
    told = check.to_json()
    assert (told["n"], told["correct"]) == (len(check.correct), check.correct.sum())
    assert told["ece_equal_width"] == check.error()


def test_the_model_and_its_diagram_are_written(calibration: Calibration, on: AnnotatedVolumes, tmp_path: Path) -> None:
    written = save_calibration(calibration, on, tmp_path / "confidence.json")
    assert [path.name for path in written] == ["confidence.json", "confidence-reliability.png"]
    assert read_confidence(written[0]) == calibration.model
    assert written[1].read_bytes().startswith(b"\x89PNG")


def confidences(world: SmallWorld, data_folder: Path, name: str, **changes: Any) -> dict[str, Any]:
    return build(world.request(data_folder, name=name, **PARAMETERS | changes))[1]


def test_builds_take_the_confidence_from_the_assigner_or_a_file_and_fall_back_to_raw_scores(
    world: SmallWorld, calibration: Calibration, on: AnnotatedVolumes, module_data_folder: Path, tmp_path: Path
) -> None:
    raw = confidences(world, module_data_folder, "raw")
    file = save_calibration(calibration, on, tmp_path / "confidence.json")[0]
    filed = confidences(world, module_data_folder, "filed", confidence=file)
    calibrated = tmp_path / "calibrated.safetensors"
    shutil.copy(world.assigner, calibrated)
    detector = load_checkpoint(world.detector, ModelRole.DETECTOR)
    store_confidence(
        calibration.model, detector, ChosenAssigner(checkpoint=load_checkpoint(calibrated, ModelRole.ASSIGNER))
    )
    carried = confidences(world, module_data_folder, "carried", assigner=str(calibrated))
    assert np.array_equal(carried["synapse.confidence"], filed["synapse.confidence"])
    assert np.array_equal(carried["synapse.cleft_id"], raw["synapse.cleft_id"])
    assert not np.allclose(carried["synapse.confidence"], raw["synapse.confidence"], atol=0.05)
    other = tmp_path / "other.safetensors"
    network = detector.network
    with_other_weights = network.state_dict()
    next(iter(with_other_weights.values())).mul_(1.0001)
    save_checkpoint(other, detector.card, network)
    fallback = confidences(world, module_data_folder, "fallback", assigner=str(calibrated), detector=str(other))
    assert fallback["synapse.confidence"].max() < 0.5 < carried["synapse.confidence"].max()
    with Database.open(None, module_data_folder) as database:
        columns = database.columns("SELECT name, parameters -> 'confidence' ->> 'intercept' AS intercept FROM run")
    recorded = dict(zip(columns["name"], columns["intercept"], strict=True))
    assert float(recorded["carried"]) == calibration.model.intercept and recorded["raw"] is None


def test_a_run_is_not_resumed_with_another_model_of_confidence(
    world: SmallWorld, calibration: Calibration, on: AnnotatedVolumes, module_data_folder: Path, tmp_path: Path
) -> None:
    file = save_calibration(calibration, on, tmp_path / "confidence.json")[0]
    request = world.request(module_data_folder, name="conflict", confidence=file, **PARAMETERS)
    build_volume(request)
    assert build_volume(request).already_finished
    with pytest.raises(RunConflictError, match="exists with another model of confidence"):
        build_volume(replace(request, models=replace(request.models, confidence=None)))


def test_edges_can_be_scored_above_a_confidence(world: SmallWorld, module_data_folder: Path) -> None:
    rows = confidences(world, module_data_folder, "raw")
    cut = float(np.median(rows["synapse.confidence"]))
    with Database.open(None, module_data_folder) as database:
        everything, above = (score_edges(database, "raw", world.folder, min_confidence=value) for value in (0.0, cut))
    assert above.n_predicted < everything.n_predicted
    assert above.n_reference == everything.n_reference


def test_a_card_keeps_its_weights_checksum_when_it_gets_a_model(
    world: SmallWorld, calibration: Calibration, tmp_path: Path
) -> None:
    path = tmp_path / "assigner.safetensors"
    shutil.copy(world.assigner, path)
    detector = load_checkpoint(world.detector, ModelRole.DETECTOR)
    before = load_checkpoint(path, ModelRole.ASSIGNER)
    assert store_confidence(calibration.model, detector, ChosenAssigner(checkpoint=before)) == path
    after = load_checkpoint(path, ModelRole.ASSIGNER)
    assert after.sha256 != before.sha256 and after.weights_sha256 == before.weights_sha256
    assert after.card == replace(before.card, confidence={detector.weights_sha256: calibration.model.to_json()})


def test_files_that_are_no_model_are_refused(world: SmallWorld, module_data_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "confidence.json"
    for text, message in (("{}", "is no model of confidence"), ("nothing", "is no model of confidence")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=message):
            build_volume(world.request(module_data_folder, name="wrong", confidence=file))
    with pytest.raises(ConfigError, match="can't be read"):
        build_volume(world.request(module_data_folder, name="wrong", confidence=tmp_path / "absent.json"))
    assigner = load_checkpoint(world.assigner, ModelRole.ASSIGNER)
    detector = load_checkpoint(world.detector, ModelRole.DETECTOR)
    path = tmp_path / "assigner.safetensors"
    card = replace(assigner.card, confidence={detector.weights_sha256: {"features": ["size"]}})
    save_checkpoint(path, card, assigner.network)
    with pytest.raises(CheckpointError, match="carries a model of confidence that this version can't use"):
        build_volume(world.request(module_data_folder, name="wrong", assigner=str(path)))


def test_volumes_with_nothing_wrong_in_them_can_not_be_fitted(on: AnnotatedVolumes) -> None:
    parameters = {**on.build.parameters, "min_score": 0.99}
    strict = replace(on, build=replace(on.build, parameters=parameters))
    with pytest.raises(ReferenceDataError, match="0 of the 0 synapses that count are correct"):
        calibrate(strict)


def test_a_model_says_what_it_was_fitted_on(calibration: Calibration) -> None:
    values = json.loads(json.dumps(calibration.model.to_json()))
    assert set(values["fitted_on"]) == {"detector", "assigner", "assigner_method", "parameters", "volumes"}


def test_the_baseline_is_calibrated_too_but_has_no_file_to_keep_it(on: AnnotatedVolumes, tmp_path: Path) -> None:
    nearest = replace(on, build=replace(on.build, models=replace(on.build.models, assigner=NEAREST)))
    fitted = calibrate(nearest)
    assert fitted.model.fitted_on["assigner_method"] == "nearest" and "assigner" not in fitted.model.fitted_on
    with pytest.raises(ConfigError, match="nearest has no file of its own"):
        save_calibration(fitted, nearest, tmp_path / "confidence.json", store=True)
