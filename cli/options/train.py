"""The options of `connectome train`. What isn't given is None: a configuration file or the defaults decide then."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from connectome.cli.options.common import Device
from connectome.cli.options.database import JsonOption
from connectome.cli.options.groups import shared_options
from connectome.training.choices import Keep, Unpaired


class Representation(StrEnum):
    """How clefts are represented; the detector's methods, known without importing torch."""

    MASK = "mask"
    STDT = "stdt"
    SIGNED_PROXIMITY = "signed-proximity"


class PrunerMethod(StrEnum):
    """The two pruners."""

    MASK = "mask-pruner"
    PROXIMITY = "proximity-pruner"


Said = dict[str, Any]
"""What was given, by option; None: not given."""
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        show_default=False,
        help="The same options as keys of a TOML file, and more of them: see docs/training.md. Flags win.",
    ),
]
DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="FOLDER[@BOX][*WEIGHT]",
        show_default=False,
        help="Folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, as `volume import cremi` and "
        "`volume phantom` write it; only the voxels of BOX (z0:z1,y0:y1,x0:x1) are seen. Or a phantom that is made as "
        "it is read: phantom:z,y,x@seed=N[:preset=insect][*WEIGHT]. Repeatable.",
    ),
]
ValidationOption = Annotated[
    list[str] | None,
    typer.Option("--validation", metavar="FOLDER[@BOX]", help="Data to measure on. Repeatable.", show_default=False),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The checkpoint to write.", show_default=False),
]
StepsOption = Annotated[
    int | None, typer.Option("--steps", min=1, help="Training steps (default: 4000).", show_default=False)
]
BatchOption = Annotated[int | None, typer.Option("--batch", min=1, help="Patches a step.", show_default=False)]
PatchOption = Annotated[
    str | None, typer.Option("--patch-shape", metavar="z,y,x", help="Voxels of a patch.", show_default=False)
]
WidthsOption = Annotated[
    str | None,
    typer.Option("--widths", metavar="N,N,...", help="Channels of each level, top first.", show_default=False),
]
RateOption = Annotated[
    float | None,
    typer.Option("--learning-rate", min=0.0, help="The highest learning rate (default: 0.001).", show_default=False),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Same seed, same run (on the CPU) (default: 0).", show_default=False),
]
StartOption = Annotated[
    Path | None,
    typer.Option(
        "--start-from",
        metavar="MODEL",
        show_default=False,
        help="Begin with the weights of a checkpoint, or of a shipped model by its name.",
    ),
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="The model's name (default: the output's).", show_default=False)
]
SaveOption = Annotated[
    int | None,
    typer.Option(
        "--save-every",
        min=1,
        metavar="STEPS",
        help="Measure, and write all files, so often (default: 250).",
        show_default=False,
    ),
]
KeepOption = Annotated[
    Keep | None,
    typer.Option("--keep", help="Which weights to keep, by the validation data (default: best).", show_default=False),
]
UnpairedOption = Annotated[
    Unpaired | None,
    typer.Option(
        "--unpaired", help="What to do about clefts without annotated partners (default: refuse).", show_default=False
    ),
]
TrainDeviceOption = Annotated[
    Device | None, typer.Option("--device", help="Where the network runs (default: auto).", show_default=False)
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on where this training was interrupted, or fail: never begin anew.")
]
RestartOption = Annotated[bool, typer.Option("--restart", help="Begin anew, whatever was done before.")]
RepresentationOption = Annotated[
    Representation | None,
    typer.Option(
        "--representation",
        help="What the network predicts: see docs/how-it-works.md (default: mask).",
        show_default=False,
    ),
]
PrunerOption = Annotated[
    PrunerMethod | None,
    typer.Option(
        "--method",
        help="What the network sees of the cleft: its mask or its proximity (default: mask-pruner).",
        show_default=False,
    ),
]
DecoyShareOption = Annotated[
    float | None,
    typer.Option(
        "--decoy-share",
        min=0.0,
        max=1.0,
        show_default=False,
        help="Share of the samples that show what `train decoys` found (default: 0).",
    ),
]
DecoyDataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="FOLDER[@BOX]",
        show_default=False,
        help="Folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv. Repeatable.",
    ),
]
DecoySizeOption = Annotated[
    int, typer.Option("--min-size", min=1, metavar="VOXELS", help="Smaller objects are left out.")
]


def _said(
    config: ConfigOption = None,
    data: DataOption = None,
    validation: ValidationOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    batch: BatchOption = None,
    patch_shape: PatchOption = None,
    widths: WidthsOption = None,
    learning_rate: RateOption = None,
    seed: SeedOption = None,
    start_from: StartOption = None,
    save_every: SaveOption = None,
    keep: KeepOption = None,
    unpaired: UnpairedOption = None,
    name: NameOption = None,
    device: TrainDeviceOption = None,
    resume: ResumeOption = False,
    restart: RestartOption = False,
    json_: JsonOption = False,
) -> Said:
    return locals()


trains = shared_options(_said, "said")
"""A decorator that gives a command what can be said of any training, as its argument `said`."""
