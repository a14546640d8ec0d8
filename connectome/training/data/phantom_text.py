"""Phantoms as text: how the command line and configuration files name one as a data source."""

from __future__ import annotations

from dataclasses import replace

from connectome.errors import ConfigError
from connectome.geometry import triple
from connectome.phantom import PhantomConfig, PhantomPreset

PREFIX = "phantom:"
FORM = "phantom:z,y,x@seed=N[:preset=NAME][:resolution=z,y,x]"


def parse_phantom(text: str) -> PhantomConfig:
    """Read e.g. 'phantom:64,512,512@seed=7' or 'phantom:64,512,512@seed=7:preset=insect:resolution=40,8,8'.

    Raises:
        ConfigError: the text has another form, or no such phantom can be made.
    """
    shape, _, rest = text.removeprefix(PREFIX).partition("@")
    config = PhantomConfig(shape=triple(_numbers(shape, int, text)))
    options = [option.partition("=")[::2] for option in rest.split(":") if option]
    names = [name for name, _ in options]
    if len(set(names)) < len(names) or "seed" not in names:
        raise ConfigError(f"'{text}' must give the seed, and each option once: write {FORM}")
    for name, value in options:
        match name:
            case "seed":
                config = replace(config, seed=_whole(value, text))
            case "preset":
                config = replace(config, preset=_preset(value))
            case "resolution":
                z, y, x = _numbers(value, float, text)
                config = replace(config, resolution_nm=(z, y, x))
            case _:
                raise ConfigError(f"a phantom has no option '{name}': write {FORM}")
    return config


def phantom_text(config: PhantomConfig) -> str:
    """The text that `parse_phantom` reads as this configuration; what has its usual value is left out."""
    usual = PhantomConfig()
    text = f"{PREFIX}{','.join(map(str, config.shape))}@seed={config.seed}"
    if config.preset is not usual.preset:
        text += f":preset={config.preset}"
    if config.resolution_nm != usual.resolution_nm:
        text += f":resolution={','.join(f'{r:.10g}' for r in config.resolution_nm)}"
    return text


def _numbers(text: str, kind: type[int] | type[float], whole_text: str) -> list[float]:
    try:
        z, y, x = (kind(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"'{text}' in '{whole_text}' isn't three numbers z,y,x: write {FORM}") from error
    return [z, y, x]


def _whole(text: str, whole_text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"seed '{text}' in '{whole_text}' isn't a whole number of at least 0")
    return int(text)


def _preset(text: str) -> PhantomPreset:
    try:
        return PhantomPreset(text)
    except ValueError as error:
        raise ConfigError(f"a phantom has no preset '{text}': choose {' or '.join(PhantomPreset)}") from error
