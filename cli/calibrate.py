"""`connectome calibrate`: fit the model that turns scores into confidences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.build import ConfigOption, Values, build_options, request_without_volumes
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DataFolderOption, JsonOption

if TYPE_CHECKING:
    from connectome.tuning.calibrate import Calibration

DataOption = Annotated[
    list[str],
    typer.Option(
        "--data",
        metavar="FOLDER[@BOX][*WEIGHT]",
        help="Annotated volume to fit on, as for tune; each of its synapses counts WEIGHT times. Repeatable.",
    ),
]
CheckOption = Annotated[
    list[str] | None,
    typer.Option(
        "--check",
        metavar="FOLDER[@BOX]",
        show_default=False,
        help="Annotated volume to check on, which isn't fitted on. Repeatable.",
    ),
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="FILE.json", help="Where the model goes.")]
StoreOption = Annotated[
    bool, typer.Option("--store", help="Also put it into the assigner's file: builds with both models use it.")
]


@build_options("given", "detector", "assigner", "direction", "device")
def calibrate(
    data: DataOption,
    given: Values,
    check: CheckOption = None,
    config: ConfigOption = None,
    output: OutputOption = Path("confidence.json"),
    store: StoreOption = False,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Fit the model that gives each synapse its confidence: the probability that it is correct.

    The synapses of the volumes are judged as evaluate edges judges them. How well the model does on data that it
    wasn't fitted on is told for each volume by a model of the others, and for the volumes of --check. Beside
    FILE.json, which build volume takes as --confidence, goes a reliability diagram.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes
    from connectome.tuning.calibrate import calibrate as run_calibrate
    from connectome.tuning.calibrate import save_calibration
    from connectome.tuning.tune import OUTPUTS

    on = AnnotatedVolumes(
        volumes=tuple(AnnotatedVolume.parse(text) for text in data),
        build=request_without_volumes(config, given),
        outputs=data_folder.expanduser() / OUTPUTS,
    )
    checks = [AnnotatedVolume.parse(text) for text in check or []]
    with RichProgress() as progress:
        calibration = run_calibrate(on, checks, progress)
    files = save_calibration(calibration, on, output, store=store)
    if as_json:
        shown = [one.to_json() for one in calibration.summaries()]
        values = {"model": calibration.model.to_json(), "checked": shown, "files": [str(file) for file in files]}
        typer.echo(json.dumps(values, indent=2))
        return
    _print(calibration)
    typer.echo("written: " + ", ".join(str(file) for file in files))


def _print(calibration: Calibration) -> None:
    """A row a volume: how many synapses, how many are correct, and the expected calibration errors."""
    from connectome.partners.confidence import FEATURES

    rows = calibration.summaries()
    width = max(len(row.name) for row in rows)
    typer.echo(f"{'':<{width}}  synapses  correct  confidence  ECE width  ECE mass")
    for row in rows:
        values = row.to_json()
        mean = "-" if values["mean_confidence"] is None else f"{values['mean_confidence']:.3f}"
        typer.echo(
            f"{row.name:<{width}}  {values['n']:8d}  {values['correct'] / max(values['n'], 1):7.3f}  {mean:>10}  "
            f"{values['ece_equal_width']:9.3f}  {values['ece_equal_mass']:8.3f}"
        )
    weights = zip(FEATURES, calibration.model.coefficients, strict=True)
    typer.echo("model: " + ", ".join(f"{name} {value:.2f}" for name, value in weights))
