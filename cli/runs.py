"""`connectome runs`: which runs there are, how far they are, why blocks failed; and deleting them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.pipeline.parameters import shown_parameters

if TYPE_CHECKING:
    from connectome.query.runs import RunReport
    from connectome.store.runs.blocks import StageProgress

app = typer.Typer(no_args_is_help=True, help="Runs: list them, show how far one is and what failed, delete one.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The run, by the name its build was given.")]


@app.command("list")
def list_(
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """List all runs, the newest first, with their state and the stage they are at."""
    from connectome.query.runs import list_runs
    from connectome.store.database import Database

    with Database.open(database_url, data_folder) as database:
        runs = list_runs(database)
    if as_json:
        typer.echo(json.dumps([run.to_json() for run in runs], indent=2))
        return
    width = max([len(run.name) for run in runs], default=0)
    for run in runs:
        at = f"  {stage_text(run.stage)}" if run.stage is not None else ""
        typer.echo(f"{run.name:<{width}}  {run.kind:<6}  {run.state:<11}  {run.created_at:%Y-%m-%d %H:%M}{at}".rstrip())


@app.command()
def show(
    name: NameArgument,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Show a run: its stages with their rates, failed blocks with their errors, models and parameters."""
    from connectome.query.runs import describe_run
    from connectome.store.database import Database

    with Database.open(database_url, data_folder) as database:
        report = describe_run(database, name)
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else report_text(report))


@app.command()
def delete(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Delete a run: all its rows and its folder of volumes.

    The folder is removed if it lies in the data folder's runs and bears the run's mark;
    otherwise nothing is deleted.
    """
    from connectome.query.runs import remove_run
    from connectome.store.database import Database
    from connectome.store.runs.runs import get_run

    with Database.open(database_url, data_folder) as database:
        run = get_run(database, name)
        if not yes:
            what = "its rows" if run.inputs is None else f"its rows and {run.folder}"
            typer.confirm(f"Delete the run '{name}' ({run.state}): {what}?", abort=True, err=True)
        folder = remove_run(database, name, data_folder)
    typer.echo(f"deleted run '{name}'" + ("" if folder is None else f" and {folder}"))


def report_text(report: RunReport) -> str:
    """Lines for a person."""
    values = report.to_json()
    lines = [f"run '{report.run.name}' ({values['kind']}) is {report.state}"]
    for key in ("data_set", "image", "segmentation", "box", "folder", "code_version", "created_at", "finished_at"):
        if values.get(key) is not None:
            lines.append(f"  {key:<13} {values[key]}")
    lines += [f"  {model.role:<13} {model.name} ({model.method}, {model.sha256[:12]})" for model in report.models]
    lines += ["stages"] * bool(report.stages) + [f"  {stage_text(stage)}" for stage in report.stages]
    failed = sum(stage.failed for stage in report.stages)
    if failed:
        lines.append("failed blocks" + (f" (the first {len(report.failed)})" if failed > len(report.failed) else ""))
    for block in report.failed:
        tries = f"{block.attempts} attempt" + ("s" if block.attempts > 1 else "")
        lines.append(f"  {block.stage} {block.block_id} ({tries}, {block.worker or 'unknown worker'}): {block.error}")
    shown = shown_parameters(values["parameters"])
    lines += ["parameters", *(f"  {key:<22} {_short(value)}" for key, value in shown.items())]
    return "\n".join(lines)


def stage_text(stage: StageProgress) -> str:
    """How far a stage is, on one line."""
    from connectome.cli.output.progress import amount_text

    failed = f", {stage.failed:,} failed" if stage.failed else ""
    rate = f", {amount_text(stage.rate, stage.unit)}/s a worker" if stage.rate else ""
    recent = f", {stage.recent_blocks:,} in the last minute" if 0 < stage.done < stage.blocks else ""
    return f"{stage.stage:<11} {stage.done:,} of {stage.blocks:,} blocks done{failed}{rate}{recent}"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
