"""Parameters as TOML that `connectome build volume --config` takes."""

from __future__ import annotations

from dataclasses import asdict, fields
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import tomli_w

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
    values = {keys[name]: _plain(value) for name, value in named.items()}
    return "".join(f"{line}\n" for line in lines) + tomli_w.dumps(values)


def _found(model: str) -> str:
    """A model's name; a path as a whole one, so that it is found from anywhere."""
    path = Path(model).expanduser()
    is_path = ("/" in model or path.suffix != "") and path.is_file()
    return str(path.absolute()) if is_path else model


def _plain(value: Any) -> str | int | float:
    """A value as TOML has it."""
    match value:
        case GreyRange():
            return f"{value.low},{value.high}"
        case StrEnum():
            return str(value)
        case IntEnum():
            return int(value)
        case _:
            plain: str | int | float = value
            return plain
