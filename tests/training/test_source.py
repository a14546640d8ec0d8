"""Where training data lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import ConfigError
from connectome.geometry import Box
from connectome.training.source import DataSource


@pytest.mark.parametrize(
    ("text", "weight", "box"),
    [("d", 1.0, None), ("d*0.5", 0.5, None), ("d@0:1,0:2,0:3*2", 2.0, Box((0, 0, 0), (1, 2, 3)))],
)
def test_a_data_source_is_read_from_text(text: str, weight: float, box: Box | None) -> None:
    assert DataSource.parse(text) == DataSource(folder=Path("d"), box=box, weight=weight)


@pytest.mark.parametrize("text", ["d*none", "d*0", "d*-1", "d*nan", "d*inf"])
def test_a_weight_that_is_no_number_above_zero_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="weight"):
        DataSource.parse(text)


def test_without_a_folder_every_volume_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"without a folder needs .*; not given: clefts"):
        DataSource(image="i", segmentation="s", annotations=Path("t.csv"))


def test_what_is_given_wins_over_the_folder() -> None:
    source = DataSource(folder=Path("lab"), image="s3://bucket/em/|zarr3:")
    assert source.url("image") == "s3://bucket/em/|zarr3:"
    assert source.url("clefts") == Path("lab/clefts.zarr")
    assert source.table == Path("lab/annotations.csv")


@pytest.mark.parametrize(
    ("source", "label"),
    [
        (DataSource(folder=Path("/data/lab")), "lab"),
        (DataSource(image="gs://b/em/", segmentation="s", clefts="c", annotations=Path("t")), "em"),
        (DataSource(image="/d/em.zarr|zarr3:", segmentation="s", clefts="c", annotations=Path("t")), "em.zarr|zarr3"),
    ],
)
def test_a_model_card_calls_it_by_its_last_name(source: DataSource, label: str) -> None:
    assert source.label == label
