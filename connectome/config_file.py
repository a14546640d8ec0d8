"""Configuration files: TOML whose keys are known, whose values have the right type, and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from connectome.errors import ConfigError

Keys = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""Key in the file -> the name of what it sets, and how its value is converted."""


def read_config(path: Path, keys: Keys) -> dict[str, Any]:
    """The values of a file, converted, by the name of what they set.

    Raises:
        ConfigError: the file is missing or isn't TOML, a key is unknown, or a value is wrong.
    """
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"configuration {path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {path} isn't TOML: {error}") from error
    return convert(f"configuration {path}", values, keys)


def convert(where: str, values: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """The values of a table, converted; `where` begins the messages.

    Raises:
        ConfigError: a key is unknown or a value is wrong.
    """
    unknown = sorted(set(values) - set(keys))
    if unknown:
        raise ConfigError(f"{where}: unknown key '{unknown[0]}' (known: {', '.join(sorted(keys))})")
    converted = {}
    for key, value in values.items():
        name, conversion = keys[key]
        try:
            converted[name] = conversion(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: {key} = {value!r} isn't valid ({error})") from error
    return converted


def text(value: Any) -> str:
    """Text as it is.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, str):
        raise TypeError("it must be text")
    return value


def flag(value: Any) -> bool:
    """True or false.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, bool):
        raise TypeError("it must be true or false")
    return value


def number(value: Any) -> float:
    """A number.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("it must be a number")
    return float(value)


def whole(value: Any) -> int:
    """A whole number.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("it must be a whole number")
    return value


def whole_numbers(value: Any) -> tuple[int, ...]:
    """A list of whole numbers.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, list):
        raise TypeError("it must be a list of whole numbers, such as [18, 80, 80]")
    return tuple(map(whole, value))
