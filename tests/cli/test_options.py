"""The text of options as values."""

from __future__ import annotations

import pytest

from connectome.cli.options.common import parse_box, parse_lengths_nm, parse_nm, parse_shape
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption
from connectome.errors import BoxError, ConfigError
from connectome.geometry import Box
from connectome.pipeline.request import OPTIONS


def test_options_that_are_not_given_stay_none() -> None:
    assert parse_box(None) is None
    assert parse_nm(None, "--resolution") is None
    assert parse_shape(None, "--block-shape") is None


def test_triples_and_boxes_are_read_in_the_order_z_y_x() -> None:
    assert parse_nm("30, 12.5,12", "--resolution") == (30.0, 12.5, 12.0)
    assert parse_shape("64,256,128", "--block-shape") == (64, 256, 128)
    assert parse_box("0:4,1:5,2:6") == Box((0, 1, 2), (4, 5, 6))


@pytest.mark.parametrize("text", ["", "30", "30,12", "30,12,12,12", "30x12x12", "30,12,nan", "inf,1,1"])
def test_a_text_that_is_no_triple_of_numbers_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--resolution"):
        parse_nm(text, "--resolution")


@pytest.mark.parametrize("text", ["0,12,12", "30,-12,12", "30,12"])
def test_lengths_are_greater_than_0(text: str) -> None:
    assert parse_lengths_nm("30,12,12", "--unit") == parse_nm("30,12,12", "--unit")
    with pytest.raises(ConfigError, match=r"^--unit"):
        parse_lengths_nm(text, "--unit")


@pytest.mark.parametrize("text", ["", "64", "64,256,0", "64,256,-1", "64.5,256,256", "64,256,256,1"])
def test_a_text_that_is_no_shape_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--block-shape"):
        parse_shape(text, "--block-shape")


def test_a_malformed_box_is_refused() -> None:
    with pytest.raises(BoxError):
        parse_box("0:4")


def test_options_of_the_database_are_told_alike_where_one_asks_and_where_one_builds() -> None:
    told = {option.flag: option.help for option in (OPTIONS["database_url"], OPTIONS["data_folder"])}
    for option in (DatabaseUrlOption, DataFolderOption):
        (declared,) = option.__metadata__
        assert told[declared.default] == declared.help
    assert OPTIONS["data_folder"].default == DEFAULT_DATA_FOLDER
