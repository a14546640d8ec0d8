"""`connectome train`: networks from annotated volumes."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options import Device, DeviceOption, JsonOption, parse_shape
from connectome.errors import ConfigError

if TYPE_CHECKING:
    from connectome.networks.checkpoint import Method


class RepresentationName(StrEnum):
    """How clefts are represented; the detector's methods, known without importing torch."""

    MASK = "mask"
    STDT = "stdt"
    SIGNED_PROXIMITY = "signed-proximity"


app = typer.Typer(no_args_is_help=True, help="Train networks on annotated volumes.")

DataOption = Annotated[
    list[str],
    typer.Option(
        "--data", metavar="FOLDER[@BOX][*WEIGHT]",
        help="Folder with raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv, as `volume import cremi` and "
        "`volume phantom` write it; only the voxels of BOX (z0:z1,y0:y1,x0:x1) are seen. Repeatable.",
    ),
]  # fmt: skip
ValidationOption = Annotated[
    list[str] | None,
    typer.Option("--validation", metavar="FOLDER[@BOX]", help="Data to measure on. Repeatable.", show_default=False),
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The checkpoint to write.")]
StepsOption = Annotated[int, typer.Option("--steps", min=1, help="Training steps.")]
BatchOption = Annotated[int, typer.Option("--batch", min=1, help="Patches a step.")]
PatchOption = Annotated[str, typer.Option("--patch-shape", metavar="z,y,x", help="Voxels of a patch.")]
WidthsOption = Annotated[str, typer.Option("--widths", metavar="N,N,...", help="Channels of each level, top first.")]
RateOption = Annotated[float, typer.Option("--learning-rate", min=0.0, help="The highest learning rate.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same run (on the CPU).")]
StartOption = Annotated[
    Path | None,
    typer.Option("--start-from", metavar="FILE", help="Checkpoint whose weights to begin with.", show_default=False),
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="The model's name [default: the output's].", show_default=False)
]
RepresentationOption = Annotated[
    RepresentationName,
    typer.Option("--representation", help="What the network predicts: see docs/how-it-works.md."),
]
DEFAULT_WIDTHS = "16,32,64,80"


class PrunerMethod(StrEnum):
    """The two pruners."""

    MASK = "mask-pruner"
    PROXIMITY = "proximity-pruner"


@app.command()
def detector(
    data: DataOption,
    output: OutputOption,
    representation: RepresentationOption = RepresentationName.MASK,
    validation: ValidationOption = None,
    steps: StepsOption = 4000,
    batch: BatchOption = 2,
    patch_shape: PatchOption = "16,128,128",
    widths: WidthsOption = DEFAULT_WIDTHS,
    learning_rate: RateOption = 1e-3,
    seed: SeedOption = 0,
    start_from: StartOption = None,
    name: NameOption = None,
    device: DeviceOption = Device.AUTO,
    json_: JsonOption = False,
) -> None:
    """Train a cleft detector: image in, clefts out, as a mask or as distances."""
    from connectome.networks.checkpoint import Method

    values = {"steps": steps, "batch": batch, "learning_rate": learning_rate, "seed": seed, "start_from": start_from}
    paths = {"data": data, "validation": validation, "output": output, "name": name}
    _train(
        Method(representation), paths, {"patch_shape": patch_shape, "widths": widths, "device": device} | values, json_
    )


@app.command()
def assigner(
    data: DataOption,
    output: OutputOption,
    validation: ValidationOption = None,
    steps: StepsOption = 4000,
    batch: BatchOption = 4,
    patch_shape: PatchOption = "18,80,80",
    widths: WidthsOption = DEFAULT_WIDTHS,
    learning_rate: RateOption = 1e-3,
    seed: SeedOption = 0,
    start_from: StartOption = None,
    name: NameOption = None,
    device: DeviceOption = Device.AUTO,
    json_: JsonOption = False,
) -> None:
    """Train an AVAN: image and one cleft in, its presynaptic and postsynaptic segment out."""
    from connectome.networks.checkpoint import Method

    values = {"steps": steps, "batch": batch, "learning_rate": learning_rate, "seed": seed, "start_from": start_from}
    paths = {"data": data, "validation": validation, "output": output, "name": name}
    _train(Method.AVAN, paths, {"patch_shape": patch_shape, "widths": widths, "device": device} | values, json_)


@app.command()
def pruner(
    data: DataOption,
    output: OutputOption,
    method: Annotated[
        PrunerMethod, typer.Option("--method", help="What the network sees of the cleft: its mask or its proximity.")
    ] = PrunerMethod.MASK,
    validation: ValidationOption = None,
    steps: StepsOption = 4000,
    batch: BatchOption = 8,
    patch_shape: PatchOption = "18,80,80",
    widths: WidthsOption = "16,32,64,96",
    learning_rate: RateOption = 1e-3,
    seed: SeedOption = 0,
    start_from: StartOption = None,
    name: NameOption = None,
    device: DeviceOption = Device.AUTO,
    json_: JsonOption = False,
) -> None:
    """Train a pruner: image, one cleft and two segments in, whether they are its pre and its post out.

    It can start from an AVAN of the same widths, too.
    """
    from connectome.networks.checkpoint import Method

    values = {"steps": steps, "batch": batch, "learning_rate": learning_rate, "seed": seed, "start_from": start_from}
    paths = {"data": data, "validation": validation, "output": output, "name": name}
    _train(
        Method(method.value), paths, {"patch_shape": patch_shape, "widths": widths, "device": device} | values, json_
    )


def _train(method: Method, paths: dict[str, Any], values: dict[str, Any], as_json: bool) -> None:
    from connectome.cli.progress import RichProgress
    from connectome.networks.device import DeviceChoice
    from connectome.training.recipe import DataSource, Recipe
    from connectome.training.train import train

    recipe = Recipe(
        sources=tuple(DataSource.parse(text) for text in paths["data"]),
        validation=tuple(DataSource.parse(text) for text in paths["validation"] or []),
        output=paths["output"],
        name=paths["name"] or paths["output"].stem,
        **values
        | {
            "patch_shape": parse_shape(values["patch_shape"], "--patch-shape"),
            "widths": _widths(values["widths"]),
            "device": DeviceChoice(values["device"]),
        },
    )
    with RichProgress() as progress:
        card = train(method, recipe, progress)
    if as_json:
        typer.echo(json.dumps({"checkpoint": str(recipe.output), "name": card.name, "metrics": card.metrics}, indent=2))
        return
    typer.echo(f"{recipe.output}: {method} '{card.name}', {card.metrics['steps']} steps")
    for metric, value in card.metrics.items():
        if metric != "steps":
            typer.echo(f"  {metric} {value:.4g}")


def _widths(text: str) -> tuple[int, ...]:
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--widths '{text}' isn't a list of whole numbers: write e.g. {DEFAULT_WIDTHS}") from error
    if min(widths) < 1:
        raise ConfigError(f"--widths '{text}': each level needs at least one channel")
    return widths
