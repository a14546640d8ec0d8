"""Builds with each representation of clefts: the same connectome however the volume is cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
from numpy.typing import NDArray
from small_world import RESOLUTION_NM, SHAPE, SmallWorld, assert_same_rows, build, make_small_world
from typer.testing import Result

from connectome.clefts.representations import Representation
from connectome.geometry import Box
from connectome.networks.checkpoint import Method
from connectome.volumes.volume import Volume

SIGNED = Representation(Method.SIGNED_PROXIMITY, RESOLUTION_NM)
THRESHOLDS = {Method.MASK: 0.7, Method.STDT: 0.7, Method.SIGNED_PROXIMITY: 0.4}
Built = tuple[Any, dict[str, NDArray[Any]], NDArray[np.uint64]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"), Method.SIGNED_PROXIMITY)


@pytest.fixture(scope="module")
def whole(world: SmallWorld, module_data_folder: Path) -> Built:
    """One build of a signed proximity in one block."""
    return build(world.request(module_data_folder, name="whole", block_shape=SHAPE, threshold=0.4))


def strength_of(built: Built) -> NDArray[np.uint8]:
    stored = Volume.open(built[0].folder / "prediction.zarr")
    return SIGNED.strength(stored.read(stored.box))


def kept_objects(strength: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], int]:
    """Where there are objects of at least 20 voxels, and their number."""
    components = cc3d.connected_components(strength >= round(0.4 * 255), connectivity=26)
    sizes = np.bincount(components.ravel())
    kept = [c for c in range(1, len(sizes)) if sizes[c] >= 20]
    return np.isin(components, kept), len(kept)


def test_clefts_are_the_components_of_the_strength_and_scored_by_it(whole: Built) -> None:
    summary, rows, clefts = whole
    strength = strength_of(whole)
    where, count = kept_objects(strength)
    assert np.array_equal(clefts != 0, where)
    assert summary.clefts == count > 20
    for cleft_id, mean, high in zip(
        *(rows[f"cleft.{name}"] for name in ("cleft_id", "mean_score", "max_score")), strict=True
    ):
        own = strength[clefts == cleft_id]
        assert mean == pytest.approx(own.mean() / 255, abs=1e-5)
        assert high == pytest.approx(own.max() / 255, abs=1e-5)


@pytest.mark.parametrize("block_shape", [(16, 64, 64), (11, 37, 90)])
def test_the_connectome_does_not_depend_on_the_blocks(
    world: SmallWorld, module_data_folder: Path, whole: Built, block_shape: tuple[int, int, int]
) -> None:
    name = "x".join(map(str, block_shape))
    _, rows, clefts = build(world.request(module_data_folder, name=name, block_shape=block_shape, threshold=0.4))
    assert_same_rows(whole[1], rows)
    assert np.array_equal(whole[2], clefts)


def test_a_box_gives_the_objects_that_the_whole_has_in_it(
    world: SmallWorld, module_data_folder: Path, whole: Built
) -> None:
    box = Box((3, 20, 10), (35, 90, 80))
    summary, _, clefts = build(world.request(module_data_folder, name="box", box=box, threshold=0.4))
    where, count = kept_objects(strength_of(whole)[box.slices()])
    assert np.array_equal(clefts[box.slices()] != 0, where)
    assert summary.clefts == count


@pytest.mark.parametrize("method", THRESHOLDS)
def test_the_command_builds_with_each_representation_and_records_it(
    cli: Callable[..., Result], tmp_path: Path, module_data_folder: Path, method: Method
) -> None:
    world = make_small_world(tmp_path, method)
    flags = {
        "image": world.image,
        "segmentation": world.segmentation,
        "detector": world.detector,
        "name": method.value,
        "assigner": world.assigner,
        "data-folder": module_data_folder,
        "threshold": THRESHOLDS[method],
        "min-size": 20,
    }
    result = cli("build", "volume", *(text for name, value in flags.items() for text in (f"--{name}", value)))
    assert result.exit_code == 0, result.stderr
    query = (
        "SELECT parameters ->> 'representation' AS representation, count(*) AS synapses FROM run "
        f"JOIN synapse USING (run_id) WHERE name = '{method.value}' GROUP BY 1"
    )
    found = json.loads(cli("sql", query, "--format", "json", "--data-folder", module_data_folder).stdout)
    assert found[0]["representation"] == method.value
    assert int(found[0]["synapses"]) > 10
