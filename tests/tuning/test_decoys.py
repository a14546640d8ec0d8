"""Finding decoys: what is found and not annotated, and nothing else."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from annotated_world import make_annotated_world, world_build
from small_world import SmallWorld

from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes
from connectome.tuning.decoys import find_decoys
from connectome.volumes.volume import Volume


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_annotated_world(tmp_path_factory.mktemp("world"))


def looked_at(world: SmallWorld, outputs: Path) -> AnnotatedVolumes:
    return AnnotatedVolumes(
        volumes=(AnnotatedVolume.parse(str(world.folder)),),
        build=world_build(world, threshold=0.68),
        outputs=outputs,
    )


def test_decoys_are_the_objects_off_all_annotated_clefts(world: SmallWorld, tmp_path: Path) -> None:
    (found,) = find_decoys(looked_at(world, tmp_path), 40)
    labels, clefts = (Volume.open(world.folder / f"{name}.zarr") for name in ("decoys", "clefts"))
    decoys, annotated = labels.read(labels.box), clefts.read(clefts.box)
    with (world.folder / "decoys.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert 0 < found.decoys == len(rows) < found.objects
    assert not ((decoys > 0) & (annotated > 0)).any()
    for row in rows:
        inside = decoys == np.uint64(row["decoy_id"])
        assert inside.sum() == int(row["size_voxels"]) >= 40
    assert set(np.unique(decoys).tolist()) - {0} == {int(row["decoy_id"]) for row in rows}
    assert len(Dataset(DataSource(folder=world.folder)).decoys) == len(rows)


def test_a_second_search_replaces_the_first(world: SmallWorld, tmp_path: Path) -> None:
    on = looked_at(world, tmp_path)
    (before,), (after,) = find_decoys(on, 40), find_decoys(on, 200)
    table = (world.folder / "decoys.csv").read_text().splitlines()
    assert after.decoys < before.decoys
    assert len(table) == after.decoys + 1
