"""`connectome build graph`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.build import app
from connectome.cli.options.database import JsonOption
from connectome.cli.options.filter import Selecting, selects
from connectome.cli.output.graph import MultiOption, print_saved_graph
from connectome.cli.output.rows import say


@app.command()
@selects
def graph(
    selecting: Selecting,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.graphml",
            show_default=False,
            help="Default: graph.graphml in the run's folder.",
        ),
    ] = None,
    multi: MultiOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build the graph of a finished run, save it as GraphML and sum it up.

    Nodes are segments, or roots with --roots (ids as text, so that none is rounded); edges carry synapse_count,
    size_voxels and mean_confidence. With --multi every synapse is an edge of its own, with cleft_id, confidence,
    size_voxels and position.
    """
    from connectome.query.graphs import export_graphml
    from connectome.store.database import Database

    with Database.open(selecting.database_url, selecting.data_folder) as database:
        saved = export_graphml(database, output, selecting.where, multi=multi, tell=say)
    print_saved_graph(saved, as_json)
