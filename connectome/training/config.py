"""A training as it is asked for: flags, or the same in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from connectome.config_file import Keys, convert, number, read_config, text, whole, whole_numbers
from connectome.errors import ConfigError
from connectome.geometry import Box, triple
from connectome.networks.checkpoint import Method
from connectome.networks.device import DeviceChoice
from connectome.training.choices import Keep, Trained, Unpaired
from connectome.training.data.source import DataSource, parse_phantom
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import Augmentation

METHODS = {
    Trained.DETECTOR: (Method.MASK, Method.STDT, Method.SIGNED_PROXIMITY),
    Trained.ASSIGNER: (Method.AVAN,),
    Trained.PRUNER: (Method.MASK_PRUNER, Method.PROXIMITY_PRUNER),
}
"""The methods that a command may train, the one it trains by default first."""
CHOSEN_BY = {Trained.DETECTOR: "representation", Trained.PRUNER: "method"}
"""The key that chooses among several methods."""
DEFAULTS: dict[Trained, dict[str, Any]] = {
    Trained.DETECTOR: {"batch": 2, "patch_shape": (16, 128, 128)},
    Trained.ASSIGNER: {"batch": 4, "patch_shape": (18, 80, 80)},
    Trained.PRUNER: {"batch": 8, "patch_shape": (18, 80, 80)},
}


def read_training(kind: Trained, config: Path | None, flags: Mapping[str, Any]) -> tuple[Method, Recipe]:
    """A method and its recipe from flags, a TOML file and the defaults; the first of them that says something wins.

    Args:
        kind: what is to be trained.
        config: TOML whose keys are the long flags of the command with _ for -, plus those of `KEYS` that have no flag.
        flags: values by key; None and empty lists: not given. Data as text (see `DataSource.parse`).

    Raises:
        ConfigError: the file is missing or malformed, a key is unknown, a value is wrong, or something isn't given.
        BoxError: a box is malformed.
    """
    keys: Keys = KEYS | ({CHOSEN_BY[kind]: ("method", text)} if kind in CHOSEN_BY else {})
    values = dict(DEFAULTS[kind])
    values |= read_config(config, keys) if config is not None else {}
    given = {key: value for key, value in flags.items() if value is not None and value not in ([], ())}
    values |= convert("the command", {key: _plain(value) for key, value in given.items()}, keys)
    if not values.get("sources"):
        raise ConfigError("no data to train on", about="training_data")
    if not values.get("output"):
        raise ConfigError("no place for the checkpoint", about="checkpoint_place")
    method = _method(kind, values.pop("method", METHODS[kind][0].value))
    values.setdefault("name", values["output"].name.removesuffix(".safetensors"))
    return method, Recipe(**values)


def _plain(value: Any) -> Any:
    """A flag's value as a TOML file would hold it."""
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def _method(kind: Trained, value: str) -> Method:
    if value not in METHODS[kind]:
        raise ConfigError(f"{CHOSEN_BY[kind]} '{value}' isn't one of {', '.join(METHODS[kind])}")
    return Method(value)


def _sources(value: Any) -> tuple[DataSource, ...]:
    if not isinstance(value, list):
        raise TypeError("it must be tables ([[data]]), or a list of text such as 'FOLDER@BOX*WEIGHT'")
    return tuple(DataSource.parse(one) if isinstance(one, str) else _source(one) for one in value)


def _source(value: Any) -> DataSource:
    if not isinstance(value, dict):
        raise TypeError("it must be tables ([[data]]), or a list of text such as 'FOLDER@BOX*WEIGHT'")
    return DataSource(**convert("a data source", value, SOURCE_KEYS))


def _augmentation(value: Any) -> Augmentation:
    if not isinstance(value, dict):
        raise TypeError("it must be a table: [augmentation]")
    return Augmentation(**convert("[augmentation]", value, AUGMENTATION_KEYS))


def _path(value: Any) -> Path:
    return Path(text(value)).expanduser()


SOURCE_KEYS: Keys = {
    "folder": ("folder", _path),
    "image": ("image", text),
    "segmentation": ("segmentation", text),
    "clefts": ("clefts", text),
    "annotations": ("annotations", _path),
    "phantom": ("phantom", lambda value: parse_phantom(text(value))),
    "box": ("box", lambda value: Box.parse(text(value))),
    "weight": ("weight", number),
}
AUGMENTATION_KEYS: Keys = {
    field.name: (field.name, whole if field.type == "int" else number) for field in fields(Augmentation)
}
KEYS: dict[str, Any] = {
    "data": ("sources", _sources),
    "validation": ("validation", _sources),
    "output": ("output", _path),
    "name": ("name", text),
    "steps": ("steps", whole),
    "batch": ("batch", whole),
    "patch_shape": ("patch_shape", lambda value: triple(whole_numbers(value))),
    "widths": ("widths", whole_numbers),
    "learning_rate": ("learning_rate", number),
    "average_decay": ("average_decay", number),
    "positive_weight": ("positive_weight", number),
    "seed": ("seed", whole),
    "device": ("device", lambda value: DeviceChoice(text(value))),
    "start_from": ("start_from", _path),
    "save_every": ("save_every", whole),
    "keep": ("keep", lambda value: Keep(text(value))),
    "decoy_share": ("decoy_share", number),
    "unpaired": ("unpaired", lambda value: Unpaired(text(value))),
    "augmentation": ("augmentation", _augmentation),
}
