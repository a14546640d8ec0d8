"""Parameters as TOML that `connectome build volume --config` takes."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectome.pipeline.request import KEYS, BuildRequest
from connectome.tuning.grid import Cell
from connectome.volumes.grey_values import GreyRange

MODELS = ("detector", "assigner", "direction")
SHARED = ("polyadic", "min_contact", "pre_threshold", "post_threshold", "connectivity", "normalisation")


def config_text(cell: Cell, build: BuildRequest, heading: str = "") -> str:
    """The chosen parameters, with what else a build needs to be the one that was tuned.

    Args:
        cell: the chosen parameters.
        build: what was tuned: models, mode and normalisation are named where they aren't the defaults.
        heading: comment lines to begin with.
    """
    default = {field.name: field.default for field in fields(BuildRequest)}
    kept = {name: getattr(build, name) for name in MODELS + SHARED if getattr(build, name) != default[name]}
    chosen = {name: value for name, value in asdict(cell).items() if value is not None}
    named = {name: _found(value) if name in MODELS else value for name, value in kept.items()} | chosen
    keys = {name: key for key, (name, _) in KEYS.items()}
    lines = [f"# {line}" for line in heading.splitlines()]
    return "\n".join([*lines, *(f"{keys[name]} = {_toml(value)}" for name, value in named.items())]) + "\n"


def _found(model: str) -> str:
    """A model's name; a path as a whole one, so that it is found from anywhere."""
    path = Path(model).expanduser()
    is_path = ("/" in model or path.suffix != "") and path.is_file()
    return str(path.absolute()) if is_path else model


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case GreyRange():
            return f'"{value.low},{value.high}"'
        case StrEnum() | str():
            return json.dumps(str(value), ensure_ascii=False)
        case int():
            return str(int(value))
        case _:
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
