"""Images of other contrasts and data types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_world import OFFSET_NM, RESOLUTION_NM, SmallWorld, assert_same_rows, build, make_small_world

from connectome.errors import ConfigError, RunConflictError
from connectome.geometry import triple
from connectome.pipeline.build import build_volume
from connectome.pipeline.inputs import choose_grey_range
from connectome.pipeline.parameters import normalisation_text
from connectome.store.database import Database
from connectome.store.runs.runs import get_run
from connectome.volumes.grey_values import GreyRange
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


def view(path: Path) -> GridView:
    return GridView(Volume.open(path), resolution_nm=RESOLUTION_NM, anchor_nm=OFFSET_NM, kind=ViewKind.IMAGE)


def write(path: Path, array: NDArray[Any]) -> Path:
    volume = Volume.create(
        path, shape=triple(array.shape), dtype=array.dtype, resolution_nm=RESOLUTION_NM, offset_nm=OFFSET_NM
    )
    volume.write(volume.box, array)
    return path


def test_twelve_bits_of_another_contrast_in_sixteen_give_the_same_connectome(
    world: SmallWorld, tmp_path: Path, module_data_folder: Path
) -> None:
    narrow = Volume.open(world.image)
    values = narrow.read(narrow.box)
    wide = write(tmp_path / "wide.zarr", np.where(values > 0, values.astype(np.uint16) * 7 + 900, 0).astype(np.uint16))
    first, rows, labels = build(world.request(module_data_folder, name="narrow"))
    second, wide_rows, wide_labels = build(world.request(module_data_folder, name="wide", image=str(wide)))
    assert first.synapses > 0
    assert np.array_equal(labels, wide_labels)
    assert_same_rows(rows, wide_rows)
    plain = build_volume(world.request(module_data_folder, name="plain", image=str(wide), normalisation="none"))
    assert plain.clefts != second.clefts


def test_a_run_records_the_range_and_is_not_resumed_with_another(world: SmallWorld, module_data_folder: Path) -> None:
    request = world.request(module_data_folder, name="recorded")
    build_volume(request)
    with Database.open(None, module_data_folder) as database:
        parameters = get_run(database, "recorded").parameters
    measured = choose_grey_range("volume", view(world.image))
    assert measured is not None
    assert parameters["normalisation"] == "volume"
    assert parameters["grey_range"] == [measured.low, measured.high]
    assert build_volume(request).already_finished
    other = world.request(module_data_folder, name="recorded", normalisation="50,60")
    with pytest.raises(RunConflictError, match="exists with normalisation volume, not 50,60"):
        build_volume(other)


def test_a_resumed_run_uses_what_it_measured_first(world: SmallWorld) -> None:
    recorded = {"normalisation": "volume", "grey_range": [11, 22]}
    image = view(world.image)
    assert choose_grey_range("volume", image, recorded) == GreyRange(low=11, high=22)
    measured = choose_grey_range("volume", image)
    assert choose_grey_range("volume", image, {"normalisation": "none", "grey_range": None}) == measured


def test_a_given_range_is_taken_and_none_leaves_the_grey_values(world: SmallWorld) -> None:
    image = view(world.image)
    assert choose_grey_range("3,200", image) == GreyRange(low=3, high=200)
    assert choose_grey_range("none", image) is None
    with pytest.raises(ConfigError, match="3,300 is beyond uint8"):
        choose_grey_range("3,300", image)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("volume", "volume"), ("none", "none"), ("70, 190", "70,190")],
)
def test_normalisation_is_read_from_text(text: str, wanted: object) -> None:
    assert normalisation_text(text) == wanted


@pytest.mark.parametrize("text", ["", "auto", "5", "1,2,3", "0.1,0.9", "9,9", "-5,7"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="normalisation"):
        normalisation_text(text)
