"""`connectome demo`: the whole way on a phantom, in a minute or two."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.build import Values, build_options
from connectome.cli.options.common import parse_shape, program, where_flags
from connectome.cli.options.database import DatabaseUrlOption

if TYPE_CHECKING:
    from connectome.demo import Answer, DemoReport


@build_options("given", "device")
def demo(
    given: Values,
    folder: Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Where everything goes.")] = Path(
        "connectome-demo"
    ),
    shape: Annotated[str, typer.Option("--shape", metavar="z,y,x", help="Voxels of the phantom.")] = "64,512,512",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, another phantom.")] = 7,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Make a synthetic volume, build its connectome, score it, export it and ask it three questions."""
    from connectome.cli.output.progress import RichProgress
    from connectome.demo import run_demo
    from connectome.pipeline.request import Execution

    execution = Execution(data_folder=folder, database_url=database_url, **given)
    with RichProgress() as progress:
        report = run_demo(parse_shape(shape, "--shape") or (64, 512, 512), seed, execution, progress)
    _print(report, where_flags(folder, database_url))


def _print(report: DemoReport, where: str) -> None:
    score, summary = report.score, report.summary
    typer.echo(summary.to_text())
    typer.echo(
        f"\nagainst the phantom's truth: precision {score.precision:.3f}, recall {score.recall:.3f}, "
        f"edge F1 {score.f1:.3f} ({score.true_positives} of {score.n_reference} synapses found, "
        f"{score.n_predicted - score.true_positives} false)"
    )
    for answer in report.answers:
        _print_answer(answer)
    typer.echo(f"\nthe graph: {report.graphml}\nthe report, for a browser: {report.report}\n\nwhat to type next:")
    for line in (
        f"view --run {summary.run}{where}      # needs pip install 'connectome-em[view]'",
        f'sql "SELECT * FROM edge LIMIT 10"{where}',
        f"build graph --run {summary.run}{where}",
        f"evaluate edges --run {summary.run} --reference {shlex.quote(str(report.phantom))}{where}",
        f"db url{where}      # what psql takes",
        f"db stop{where}",
        "build volume --help",
    ):
        typer.echo(f"  {program()} {line}")


def _print_answer(answer: Answer) -> None:
    typer.echo(f"\n{answer.title}:\n  {answer.query}")
    cells = [answer.columns, *([str(value) for value in row] for row in answer.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(answer.columns))]
    for row in cells:
        typer.echo("  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
