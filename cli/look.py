"""`connectome view` and `connectome report`: looking at a run."""

from __future__ import annotations

import threading
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.common import RunOption, parse_nm
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption

if TYPE_CHECKING:
    from connectome.evaluate.edges import EdgeScore
    from connectome.query.connectome import Connectome

ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FILE",
        show_default=False,
        help="Annotations to compare with: a CREMI file, or a folder with clefts.zarr and annotations.csv.",
    ),
]


def view(
    run: RunOption,
    at: Annotated[
        str | None, typer.Option("--at", metavar="x,y,z", show_default=False, help="Open at this point in nm.")
    ] = None,
    synapse: Annotated[
        int | None, typer.Option("--synapse", metavar="ID", show_default=False, help="Open at this cleft's synapse.")
    ] = None,
    segment: Annotated[
        int | None,
        typer.Option("--segment", metavar="ID", show_default=False, help="Select this segment, and its synapses."),
    ] = None,
    reference: ReferenceOption = None,
    link: Annotated[bool, typer.Option("--link", help="Print an address of a public viewer, for volumes at URLs.")] = (
        False
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the loopback address; 0: a free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Look at a run in Neuroglancer: image, segmentation, clefts, and synapses as lines from pre to post.

    Selecting a segment leaves its synapses. The viewer serves until Ctrl-C.

    Example: connectome view --run first --segment 42
    """
    from connectome.errors import ConfigError, MissingLibraryError
    from connectome.query.connectome import Connectome
    from connectome.store.runs.runs import get_run
    from connectome.view.lines import read_lines
    from connectome.view.place import Place, find_place

    if find_spec("neuroglancer") is None:
        raise MissingLibraryError("the viewer needs neuroglancer: pip install 'connectome-em[view]'")
    point = parse_nm(at, "--at", "x,y,z")
    if sum(value is not None for value in (point, synapse, segment)) > 1:
        raise ConfigError("give one of --at, --synapse and --segment")
    with Connectome.open(database_url, data_folder) as connectome:
        record = get_run(connectome.database, run)
        if point is not None:
            x, y, z = point
            place = Place(centre_nm=(z, y, x))
        else:
            place = find_place(connectome, record, cleft_id=synapse, segment_id=segment)
        lines = read_lines(connectome, run, centre_nm=place.centre_nm)
        score = _score(connectome, run, reference)
    from connectome.view import viewer

    if link:
        typer.echo(viewer.link(record, lines, place))
        return
    if len(lines.cleft_id) < lines.total:
        typer.echo(f"{len(lines.cleft_id):,} of {lines.total:,} synapses are shown, around this place", err=True)
    opened = viewer.open_viewer(record, lines, place, viewer.Extras(port=port, score=score))
    address = opened.get_viewer_url()
    typer.echo(address)
    typer.echo("the viewer serves until Ctrl-C", err=True)
    if browser:
        webbrowser.open(address)
    threading.Event().wait()


def report(
    run: RunOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where it goes.")],
    reference: ReferenceOption = None,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Write what a run is, holds and looks like as one HTML file that needs nothing else.

    With a reference it also shows the score and the errors by their cause.

    Example: connectome report --run first --output first.html
    """
    from connectome.query.connectome import Connectome
    from connectome.view.report import write_report

    with Connectome.open(database_url, data_folder) as connectome:
        written = write_report(connectome, run, output, _score(connectome, run, reference))
    typer.echo(written)


def _score(connectome: Connectome, run: str, reference: Path | None) -> EdgeScore | None:
    if reference is None:
        return None
    from connectome.cli.output.progress import RichProgress
    from connectome.scoring.edges import score_edges

    with RichProgress() as progress:
        return score_edges(connectome.database, run, reference, None, progress)
