"""`connectome train`: networks from annotated volumes."""

from __future__ import annotations

import json

import typer

from connectome.cli.options.build import Values, build_options, request_without_volumes
from connectome.cli.options.common import parse_shape
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DataFolderOption, JsonOption
from connectome.cli.options.train import (
    DecoyDataOption,
    DecoyShareOption,
    DecoySizeOption,
    PrunerOption,
    RepresentationOption,
    Said,
    trains,
)
from connectome.errors import ConfigError
from connectome.training.choices import Begin, Trained

app = typer.Typer(no_args_is_help=True, help="Train networks on annotated volumes.")


@app.command()
@trains
def detector(said: Said, representation: RepresentationOption = None, decoy_share: DecoyShareOption = None) -> None:
    """Train a cleft detector: image in, clefts out, as a mask or as distances.

    By default 2 patches of 16,128,128 voxels a step. An interrupted training goes on with the same command.
    """
    _train(Trained.DETECTOR, {**said, "representation": representation, "decoy_share": decoy_share})


@app.command()
@trains
def assigner(said: Said, decoy_share: DecoyShareOption = None) -> None:
    """Train an AVAN: image and one cleft in, its presynaptic and postsynaptic segment out.

    By default 4 patches of 18,80,80 voxels a step. An interrupted training goes on with the same command.
    """
    _train(Trained.ASSIGNER, {**said, "decoy_share": decoy_share})


@app.command()
@trains
def pruner(said: Said, method: PrunerOption = None) -> None:
    """Train a pruner: image, one cleft and two segments in, whether they are its pre and its post out.

    By default 8 patches of 18,80,80 voxels a step. It can start from an AVAN of the same widths, too. An interrupted
    training goes on with the same command.
    """
    _train(Trained.PRUNER, {**said, "method": method})


@app.command()
@build_options("given", "detector", "threshold", "device")
def decoys(
    given: Values,
    data: DecoyDataOption = None,
    min_size: DecoySizeOption = 100,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    json_: JsonOption = False,
) -> None:
    """Find what a detector wrongly takes for clefts, so that further training shows it often.

    Writes decoys.zarr and decoys.csv into each folder. Then train the detector, or an AVAN, with --decoy-share: the
    detector learns to pass decoys over, the AVAN to give low scores to all segments around them.
    """
    from dataclasses import asdict

    from connectome.cli.output.progress import RichProgress
    from connectome.cli.tune import annotated_volumes
    from connectome.tuning.annotated_volume import AnnotatedVolumes
    from connectome.tuning.decoys import find_decoys
    from connectome.tuning.tune import OUTPUTS

    on = AnnotatedVolumes(
        volumes=annotated_volumes(data, None, None, None, None),
        build=request_without_volumes(None, given),
        outputs=data_folder.expanduser() / OUTPUTS,
    )
    with RichProgress() as progress:
        found = find_decoys(on, min_size, progress)
    if json_:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        typer.echo(f"{one.name}: {one.decoys} decoys among {one.objects} objects")


def _train(kind: Trained, said: Said) -> None:
    from dataclasses import replace

    from connectome.cli.output.progress import RichProgress
    from connectome.training.config import read_training
    from connectome.training.train import train

    flags = dict(said)
    config, as_json = flags.pop("config"), flags.pop("json_")
    begin = _begin(flags.pop("resume"), flags.pop("restart"))
    flags["patch_shape"] = parse_shape(flags["patch_shape"], "--patch-shape")
    flags["widths"] = _widths(flags["widths"])
    method, recipe = read_training(kind, config, flags)
    with RichProgress() as progress:
        card = train(method, replace(recipe, begin=begin), progress)
    if as_json:
        typer.echo(json.dumps({"checkpoint": str(recipe.output), "name": card.name, "metrics": card.metrics}, indent=2))
        return
    typer.echo(f"{recipe.output}: {method} '{card.name}', weights of step {card.metrics['steps']} of {recipe.steps}")
    for metric, value in card.metrics.items():
        if metric != "steps":
            typer.echo(f"  {metric} {value:.4g}")


def _begin(resume: bool, restart: bool) -> Begin:
    if resume and restart:
        raise ConfigError("--resume and --restart contradict each other: give one of them, or none")
    return Begin.RESTART if restart else Begin.RESUME if resume else Begin.AUTO


def _widths(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--widths '{text}' isn't a list of whole numbers: write e.g. 16,32,64,80") from error
    return widths
