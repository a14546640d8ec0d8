"""Accuracy of an assigner on annotated clefts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from connectome.errors import ReferenceDataError
from connectome.geometry import Box
from connectome.phantom import PhantomConfig, write_phantom
from connectome.pipeline.request import build_request
from connectome.scoring.assignment import AnnotatedAssignment, assign_annotated
from connectome.volumes.volume import Volume


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    write_phantom(PhantomConfig(shape=(40, 256, 256), seed=3), folder)
    return folder


def assigned(phantom: Path, **changes: object) -> AnnotatedAssignment:
    values = {"image": str(phantom / "raw.zarr"), "segmentation": str(phantom / "neuron_ids.zarr"), "device": "cpu"}
    return assign_annotated(build_request(values | changes), phantom)


def test_the_shipped_assigner_finds_the_partners_of_a_phantoms_clefts(phantom: Path) -> None:
    score = assigned(phantom).pair_score()
    assert score.n >= 4
    assert score.accuracy >= 0.8


def test_an_image_of_another_contrast_in_sixteen_bits_scores_the_same(phantom: Path, tmp_path: Path) -> None:
    narrow = Volume.open(phantom / "raw.zarr")
    values = narrow.read(narrow.box).astype(np.uint16)
    grid = narrow.grid
    wide = Volume.create(
        tmp_path / "wide.zarr",
        shape=grid.shape,
        dtype=np.uint16,
        resolution_nm=grid.resolution_nm,
        offset_nm=grid.offset_nm,
    )
    wide.write(wide.box, np.where(values > 0, values * 2 + 500, 0).astype(np.uint16))
    first, same = (
        assigned(phantom).pair_score(),
        assigned(phantom, image=wide.url).pair_score(),
    )
    assert (first.n, first.correct, first.errors) == (same.n, same.correct, same.errors)


def test_the_nearest_segments_are_scored_without_a_network_and_with_an_avans_direction(phantom: Path) -> None:
    unknown = assigned(phantom, assigner="nearest")
    assert not unknown.polyadic
    assert all(pre < post for pairs in unknown.chosen.values() for pre, post in pairs)
    avan = assigned(phantom, assigner="nearest", direction="avan")
    assert {c: {frozenset(p) for p in pairs} for c, pairs in unknown.chosen.items()} == {
        c: {frozenset(p) for p in pairs} for c, pairs in avan.chosen.items()
    }
    assert avan.pair_score().correct > unknown.pair_score().correct


def test_in_the_polyadic_mode_sets_of_partners_are_scored(phantom: Path) -> None:
    one, several = (
        assigned(phantom, polyadic=True, pre_threshold=1.0, post_threshold=threshold) for threshold in (1.0, 0.05)
    )
    assert one.polyadic
    assert all(len(pairs) == 1 for pairs in one.chosen.values())
    assert sum(map(len, several.chosen.values())) > len(several.chosen)
    assert one.set_score().pairs.n_chosen == len(one.chosen) and one.set_score().pairs.f1 >= 0.8
    assert several.set_score().pairs.precision < 1


def test_a_box_without_clefts_is_refused(phantom: Path) -> None:
    with pytest.raises(ReferenceDataError, match="no annotated cleft has its centroid in the box"):
        assigned(phantom, box=Box((0, 0, 0), (1, 1, 1)))


def test_the_command_prints_the_same_as_json(phantom: Path, cli: Callable[..., Result], tmp_path: Path) -> None:
    flags = ["--image", phantom / "raw.zarr", "--segmentation", phantom / "neuron_ids.zarr", "--reference", phantom]
    result = cli("evaluate", "assignment", *flags, "--device", "cpu", "--json", "--errors", tmp_path / "errors.csv")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    score = assigned(phantom).pair_score()
    assert {name: found[name] for name in ("n", "correct", "accuracy", "pre_accuracy", "post_accuracy")} == {
        "n": score.n,
        "correct": score.correct,
        "accuracy": score.accuracy,
        "pre_accuracy": score.pre_accuracy,
        "post_accuracy": score.post_accuracy,
    }
    assert len((tmp_path / "errors.csv").read_text().splitlines()) >= 1


def test_the_command_prints_the_score_of_partner_sets(
    phantom: Path, cli: Callable[..., Result], tmp_path: Path
) -> None:
    flags = ["--image", phantom / "raw.zarr", "--segmentation", phantom / "neuron_ids.zarr", "--reference", phantom]
    flags += ["--device", "cpu", "--polyadic", "--post-threshold", 0.2]
    text = cli("evaluate", "assignment", *flags, "--errors", tmp_path / "errors.csv")
    assert text.exit_code == 0, text.stderr
    found = json.loads(cli("evaluate", "assignment", *flags, "--json").stdout)
    assert f"pairs F1         {found['pairs']['f1']:.3f}" in text.stdout
    assert "exact clefts" in text.stdout and "pre recall" in text.stdout
    invented = sum(len(error["invented"]) + len(error["missed"]) for error in found["errors"])
    assert len((tmp_path / "errors.csv").read_text().splitlines()) == 1 + invented > 1


def test_a_threshold_without_the_polyadic_mode_is_refused(phantom: Path, cli: Callable[..., Result]) -> None:
    flags = ["--image", phantom / "raw.zarr", "--segmentation", phantom / "neuron_ids.zarr", "--reference", phantom]
    result = cli("evaluate", "assignment", *flags, "--dyadic", "--pre-threshold", 0.5)
    assert result.exit_code == 3
    assert "add --polyadic" in result.stderr
