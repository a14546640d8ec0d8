"""Configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectome.config_file import Keys, convert, flag, number, read_config, text, whole, whole_numbers
from connectome.errors import ConfigError

KEYS: Keys = {
    "name": ("title", text),
    "steps": ("steps", whole),
    "rate": ("rate", number),
    "shape": ("s", whole_numbers),
    "on": ("on", flag),
}


def test_values_come_converted_under_the_names_they_set(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('name = "a"\nsteps = 3\nrate = 1\nshape = [1, 2]\n')
    assert read_config(path, KEYS) == {"title": "a", "steps": 3, "rate": 1.0, "s": (1, 2)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("step = 3\n", r"unknown key 'step' \(known: name, on, rate, shape, steps\)"),
        ("steps = 3.5\n", r"steps = 3\.5 isn't valid \(it must be a whole number\)"),
        ("steps = true\n", "it must be a whole number"),
        ("on = 1\n", "it must be true or false"),
        ("name = 3\n", "it must be text"),
        ('rate = "fast"\n', "it must be a number"),
        ("shape = 3\n", "a list of whole numbers"),
        ("steps = \n", "isn't TOML"),
    ],
)
def test_what_is_not_known_or_of_another_type_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_config(path, KEYS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml can't be read: No such file"):
        read_config(tmp_path / "none.toml", KEYS)


def test_messages_begin_with_where_the_table_is() -> None:
    values: dict[str, Any] = {"nothing": 1}
    with pytest.raises(ConfigError, match=r"^the table: unknown key"):
        convert("the table", values, KEYS)
