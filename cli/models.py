"""`connectome models`: which networks there are, what they say of themselves, whether they are whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options.database import JsonOption

if TYPE_CHECKING:
    from connectome.models.registry import ModelSummary

app = typer.Typer(no_args_is_help=True, help="List, show and verify the networks that ship, and your own.")
HEADER = ("name", "role", "method", "parameters", "resolution", "size", "SHA-256", "measured")


@app.command("list")
def list_(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE|FOLDER]...", help="Also these checkpoints.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The models that ship, by the names that --detector and --assigner take; then the checkpoints at the paths."""
    from connectome.models.registry import list_models

    found = list_models(paths or [])
    if as_json:
        typer.echo(json.dumps([summary.to_json() for summary in found], indent=2))
        return
    rows = [HEADER, *(_cells(summary) for summary in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def show(
    model: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A model that ships, or a checkpoint.")],
    as_json: JsonOption = False,
) -> None:
    """The model card: data, recipe, curve, metrics, limits, and the parameters the model is used with."""
    from connectome.models.registry import describe_model

    found = describe_model(model)
    typer.echo(json.dumps(found.to_json(), indent=2) if as_json else found.text.rstrip())
    if not as_json:
        typer.echo(f"\nfile     {found.summary.path}\nSHA-256  {found.summary.sha256}")


@app.command()
def verify(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE]...", help="Which (default: all models that ship).", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that models are whole: the file's checksum, its weights, and the network's answer to a fixed input.

    Of a checkpoint that doesn't ship there is no recorded checksum and answer: it must load and answer with numbers.
    """
    from connectome.models.lookup import known_names
    from connectome.models.registry import verify_model

    found = [verify_model(model) for model in models or known_names()]
    if as_json:
        typer.echo(json.dumps([one.to_json() | {"verified": True, "difference": off} for one, off in found], indent=2))
        return
    for summary, difference in found:
        typer.echo(_verdict(summary, difference))


def _verdict(summary: ModelSummary, difference: float | None) -> str:
    if difference is None:
        return f"{summary.path}: loads and answers; SHA-256 {summary.sha256[:12]} (it doesn't ship: nothing to compare)"
    answer = f"answer within {max(difference, 1e-7):.0e}"
    return f"{summary.name}: as recorded; SHA-256 {summary.sha256[:12]}, {answer}"


def _cells(summary: ModelSummary) -> tuple[str, ...]:
    name = summary.name if summary.shipped else str(summary.path)
    return (
        name,
        summary.role,
        summary.method,
        f"{summary.parameters:,}",
        "x".join(f"{side:g}" for side in summary.resolution_nm) + " nm",
        f"{summary.size_bytes / 1e6:.1f} MB",
        summary.sha256[:12],
        "-" if summary.metric is None else f"{summary.metric} {_number(summary.value)}",
    )


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
