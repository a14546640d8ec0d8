"""`connectome demo`: the whole way on a phantom, in a minute or two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options import DatabaseUrlOption, Device, DeviceOption, parse_shape

if TYPE_CHECKING:
    from connectome.pipeline.demo import Answer, DemoReport


def demo(
    folder: Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Where everything goes.")] = Path(
        "connectome-demo"
    ),
    shape: Annotated[str, typer.Option("--shape", metavar="z,y,x", help="Voxels of the phantom.")] = "64,512,512",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, another phantom.")] = 7,
    device: DeviceOption = Device.AUTO,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Make a synthetic volume, build its connectome, score it, export it and ask it three questions."""
    from connectome.cli.progress import RichProgress
    from connectome.networks.device import DeviceChoice
    from connectome.pipeline.demo import DemoRequest, run_demo

    request = DemoRequest(
        folder=folder, shape=parse_shape(shape, "--shape") or (64, 512, 512), seed=seed,
        device=DeviceChoice(device), database_url=database_url,
    )  # fmt: skip
    with RichProgress() as progress:
        report = run_demo(request, progress)
    _print(report, folder)


def _print(report: DemoReport, folder: Path) -> None:
    score, summary = report.score, report.summary
    typer.echo(summary.to_text())
    typer.echo(
        f"\nagainst the phantom's truth: precision {score.precision:.3f}, recall {score.recall:.3f}, "
        f"edge F1 {score.f1:.3f} ({score.true_positives} of {score.n_reference} synapses found, "
        f"{score.n_predicted - score.true_positives} false)"
    )
    for answer in report.answers:
        _print_answer(answer)
    typer.echo(f"\nthe graph: {report.graphml}\n\nwhat to type next:")
    where = f"--data-folder {folder}"
    for line in (
        f'connectome sql "SELECT * FROM edge LIMIT 10" {where}',
        f"connectome build graph --run {summary.run} {where}",
        f"connectome evaluate edges --run {summary.run} --reference {report.phantom} {where}",
        f'psql "$(connectome db url {where})"',
        f"connectome db stop {where}",
        "connectome build volume --help",
    ):
        typer.echo(f"  {line}")


def _print_answer(answer: Answer) -> None:
    typer.echo(f"\n{answer.title}:\n  {answer.query}")
    cells = [answer.columns, *([str(value) for value in row] for row in answer.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(answer.columns))]
    for row in cells:
        typer.echo("  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
