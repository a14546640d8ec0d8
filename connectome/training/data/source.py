"""Sources of training data: folders and phantoms."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import ConfigError
from connectome.formats.decoys import LABELS, TABLE
from connectome.geometry import Box, triple
from connectome.phantom import PhantomConfig, PhantomPreset

IN_FOLDER = {"image": "raw.zarr", "segmentation": "neuron_ids.zarr", "clefts": "clefts.zarr"}
PREFIX = "phantom:"
FORM = "phantom:z,y,x@seed=N[:preset=NAME][:resolution=z,y,x]"


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Annotated volumes: a folder as imports and phantoms write it, or places given one by one, or both; or a phantom.

    Attributes:
        folder: holds raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, unless they are given.
        image, segmentation, clefts: paths or URLs of volumes; given ones win over the folder's.
        annotations: a table of synapses with the columns of annotations.csv.
        phantom: what to make as it is read; nothing else is given then but box and weight.
        box: what may be seen, in voxels (z, y, x) of the cleft labels; None: all.
        weight: how often samples come from here, relative to the other sources.
    """

    folder: Path | None = None
    image: str | None = None
    segmentation: str | None = None
    clefts: str | None = None
    annotations: Path | None = None
    phantom: PhantomConfig | None = None
    box: Box | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a source that can't be opened or would never be drawn.

        Raises:
            ConfigError: a volume or the table isn't given, or is given beside a phantom, or the weight isn't greater
                than 0.
        """
        names = (*IN_FOLDER, "annotations")
        given = [name for name in ("folder", *names) if getattr(self, name) is not None]
        if self.phantom is not None and given:
            raise ConfigError(f"a data source is a phantom or has a {given[0]}, not both")
        missing = [name for name in names if self.folder is None and name not in given]
        if missing and self.phantom is None:
            raise ConfigError(f"a data source without a folder needs {', '.join(names)}; not given: {missing[0]}")
        if not 0 < self.weight < math.inf:
            raise ConfigError(f"a weight of {self.weight:g} is useless: it must be greater than 0 and finite")

    @property
    def name(self) -> str:
        """Its name in messages: its folder, else its image; of a phantom its text."""
        if self.phantom is not None:
            return phantom_text(self.phantom)
        return str(self.folder or self.image)

    @property
    def label(self) -> str:
        """Its name on a model card: the name without where it lies."""
        return self.name.rstrip("/|:").rpartition("/")[2]

    def url(self, volume: str) -> str | Path:
        """The place of a volume: `image`, `segmentation` or `clefts`."""
        given: str | None = getattr(self, volume)
        return given or (self.folder or Path()) / IN_FOLDER[volume]

    @property
    def table(self) -> Path:
        """The place of the table of synapses."""
        return self.annotations or (self.folder or Path()) / "annotations.csv"

    @property
    def decoys(self) -> tuple[Path, Path] | None:
        """Labels and table of the folder's decoys; None: it has none."""
        if self.folder is None or not (self.folder / TABLE).exists():
            return None
        return self.folder / LABELS, self.folder / TABLE

    @classmethod
    def parse(cls, text: str) -> DataSource:
        """Read 'FOLDER', 'FOLDER@z0:z1,y0:y1,x0:x1' or a phantom (see `phantom_text`), also with '*WEIGHT' behind.

        Raises:
            ConfigError: the weight isn't a number above 0, or a phantom is malformed. BoxError: the box is malformed.
        """
        text, star, weight_text = text.partition("*")
        try:
            weight = float(weight_text) if star else 1.0
        except ValueError as error:
            raise ConfigError(f"'{weight_text}' isn't a weight: write FOLDER@BOX*NUMBER") from error
        if text.startswith(PREFIX):
            return cls(phantom=parse_phantom(text), weight=weight)
        folder, at, box = text.partition("@")
        return cls(folder=Path(folder).expanduser(), box=Box.parse(box) if at else None, weight=weight)


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
