"""Builds with every way to choose partners: the same connectome however the volume is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_world import SHAPE, SmallWorld, assert_same_rows, build, make_small_world

from connectome.errors import CheckpointError, ConfigError, RunConflictError
from connectome.models.assigners import NEAREST, choose_assigner
from connectome.networks.checkpoint import Method
from connectome.pipeline.build import build_volume
from connectome.pipeline.parameters import check_parameters
from connectome.pipeline.request import BuildRequest
from connectome.store.database import Database

Rows = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[Method, SmallWorld]:
    """Worlds whose detectors predict masks and signed proximities."""
    kinds = (Method.MASK, Method.SIGNED_PROXIMITY)
    return {kind: make_small_world(tmp_path_factory.mktemp(kind.value), kind) for kind in kinds}


def request_of(world: SmallWorld, folder: Path, way: str, **changes: Any) -> BuildRequest:
    models = {
        "avan": {"assigner": str(world.assigner)},
        "mask-pruner": {"assigner": str(world.pruner(Method.MASK_PRUNER))},
        "proximity-pruner": {"assigner": str(world.pruner(Method.PROXIMITY_PRUNER))},
        "nearest": {"assigner": NEAREST},
        "nearest by avan": {"assigner": NEAREST, "direction": str(world.assigner)},
    }
    return world.request(folder, **models[way] | changes)


def run_facts(folder: Path, name: str) -> dict[str, Any]:
    with Database.open(None, folder) as database:
        found = database.columns(
            "SELECT parameters, model.method FROM run LEFT JOIN model ON model_id = assigner_model_id "
            "WHERE run.name = :name",
            {"name": name},
        )
    return {"parameters": found["parameters"][0], "method": found["method"][0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "polyadic", "kind"),
    [
        ("avan", True, Method.MASK),
        ("mask-pruner", False, Method.MASK),
        ("mask-pruner", True, Method.MASK),
        ("proximity-pruner", False, Method.MASK),
        ("proximity-pruner", True, Method.SIGNED_PROXIMITY),
        ("nearest", False, Method.SIGNED_PROXIMITY),
        ("nearest", True, Method.MASK),
        ("nearest by avan", False, Method.MASK),
    ],
)
def test_the_connectome_does_not_depend_on_the_blocks(
    worlds: dict[Method, SmallWorld], module_data_folder: Path, way: str, polyadic: bool, kind: Method
) -> None:
    threshold = 0.7 if kind is Method.MASK else 0.4
    changes: dict[str, Any] = {"polyadic": polyadic, "threshold": threshold, "min_size_voxels": 60}
    if polyadic and "pruner" in way:  # with random weights few pairs reach one half
        changes |= {"pre_threshold": 0.0, "post_threshold": 0.0}
    built: list[Rows] = []
    for block_shape in (SHAPE, (16, 64, 64)):
        name = f"{way} {polyadic} {kind} {block_shape[0]}".replace(" ", "-")
        request = request_of(worlds[kind], module_data_folder, way, name=name, block_shape=block_shape, **changes)
        summary, rows, _ = build(request)
        built.append(rows)
    assert_same_rows(*built)
    check_rows(built[0], polyadic)
    assert summary.synapses > 15


def check_rows(rows: Rows, polyadic: bool) -> None:
    """Both roles of every candidate are there, and synapses are made of them."""
    per_cleft = np.unique(np.stack([rows["candidate.cleft_id"], rows["candidate.segment_id"]], 1), axis=0)
    assert len(rows["candidate.cleft_id"]) == 2 * len(per_cleft)
    synapses = np.stack([rows[f"synapse.{n}"] for n in ("cleft_id", "pre_segment_id", "post_segment_id")], 1)
    assert len(np.unique(synapses, axis=0)) == len(synapses)
    assert (synapses[:, 1] != synapses[:, 2]).all()
    known = {tuple(row) for row in per_cleft.tolist()}
    assert all((cleft, pre) in known and (cleft, post) in known for cleft, pre, post in synapses.tolist())
    _, counts = np.unique(synapses[:, 0], return_counts=True)
    assert counts.max() > 1 if polyadic else (counts == 1).all()
    assert len(counts) == len(set(rows["candidate.cleft_id"][_several(rows)].tolist()))
    for cleft in np.unique(synapses[:, 0]):
        numbers = rows["synapse.number"][synapses[:, 0] == cleft]
        assert sorted(numbers.tolist()) == list(range(len(numbers)))


def _several(rows: Rows) -> NDArray[np.bool_]:
    """Which rows of candidates belong to clefts with at least two of them."""
    ids, place, counts = np.unique(rows["candidate.cleft_id"], return_inverse=True, return_counts=True)
    assert len(ids) > 0
    return np.asarray(counts[place] >= 4)


def test_a_run_records_who_chose_partners_and_what_told_pre_from_post(
    worlds: dict[Method, SmallWorld], module_data_folder: Path
) -> None:
    expected = {
        ("nearest", Method.MASK): ("nearest", "unknown", None),
        ("nearest", Method.SIGNED_PROXIMITY): ("nearest", "signed-proximity", None),
        ("nearest by avan", Method.MASK): ("nearest", "avan", "avan"),
        ("mask-pruner", Method.MASK): ("mask-pruner", "mask-pruner", "mask-pruner"),
    }
    for i, ((way, kind), (assigner, direction, method)) in enumerate(expected.items()):
        name = f"facts{i}"
        request = request_of(
            worlds[kind],
            module_data_folder,
            way,
            name=name,
            threshold=0.7 if kind is Method.MASK else 0.4,
            min_size_voxels=200,
            block_shape=SHAPE,
        )
        build_volume(request)
        facts = run_facts(module_data_folder, name)
        assert facts["parameters"]["assigner_method"] == assigner
        assert facts["parameters"]["direction"] == direction
        assert facts["method"] == method


def test_a_pruners_synapse_has_the_probability_of_its_pair_in_both_roles(
    worlds: dict[Method, SmallWorld], module_data_folder: Path
) -> None:
    request = request_of(
        worlds[Method.MASK], module_data_folder, "mask-pruner", name="pairs", min_size_voxels=100, block_shape=SHAPE
    )
    build_volume(request)
    with Database.open(None, module_data_folder) as database:
        found = database.columns(
            "SELECT pre_score, post_score, confidence, mean_score, (SELECT max(score) FROM candidate c WHERE "
            "c.run_id = s.run_id AND c.cleft_id = s.cleft_id) AS best FROM synapse s JOIN cleft USING (run_id, "
            "cleft_id) JOIN run USING (run_id) WHERE run.name = 'pairs'"
        )
    assert len(found["pre_score"]) > 10
    assert np.array_equal(found["pre_score"], found["post_score"])
    assert np.allclose(found["confidence"], found["pre_score"] * found["mean_score"], atol=1e-5)
    assert (found["pre_score"] <= found["best"] + 1e-6).all()


def test_a_run_is_not_resumed_with_another_way_to_choose(
    worlds: dict[Method, SmallWorld], module_data_folder: Path
) -> None:
    changes: dict[str, Any] = {"name": "one-way", "min_size_voxels": 200, "block_shape": SHAPE}
    world = worlds[Method.MASK]
    build_volume(request_of(world, module_data_folder, "nearest", **changes))
    with pytest.raises(RunConflictError, match="assigner none"):
        build_volume(request_of(world, module_data_folder, "avan", **changes))
    with pytest.raises(RunConflictError, match="polyadic False"):
        build_volume(request_of(world, module_data_folder, "nearest", polyadic=True, **changes))


def test_a_direction_is_for_the_baseline_alone_and_a_detector_assigns_nothing(worlds: dict[Method, SmallWorld]) -> None:
    world = worlds[Method.MASK]
    with pytest.raises(ConfigError, match="is for the assigner nearest alone"):
        choose_assigner("avan", "avan")
    with pytest.raises(CheckpointError, match="where one of assigner is needed"):
        choose_assigner(NEAREST, str(world.detector))
    assert choose_assigner(NEAREST, None).checkpoint is None
    assert choose_assigner(None, None).method == "avan"


def test_a_patch_without_a_network_is_as_large_in_nm_whatever_the_resolution() -> None:
    nearest = choose_assigner(NEAREST, None)
    assert nearest.patch_shape((30.0, 12.0, 12.0)) == (18, 80, 80)
    assert nearest.patch_shape((40.0, 8.0, 8.0)) == (14, 120, 120)


@pytest.mark.parametrize(
    ("polyadic", "pre", "post", "words"),
    [
        (False, 0.5, None, "in the polyadic mode alone"),
        (True, 1.2, None, "pre threshold 1.2"),
        (None, None, -0.1, "post threshold"),
    ],
)
def test_thresholds_that_nothing_uses_or_reaches_are_refused(
    polyadic: bool | None, pre: float | None, post: float | None, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        asked = {"polyadic": polyadic, "pre_threshold": pre, "post_threshold": post}
        check_parameters({name: value for name, value in asked.items() if value is not None})
