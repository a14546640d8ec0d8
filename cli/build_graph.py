"""`connectome build graph`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.build import app
from connectome.cli.options.database import JsonOption
from connectome.cli.options.filter import Selecting, selects
from connectome.cli.output.graph import MultiOption, print_saved_graph, print_summary, summary_json
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

    Nodes are segments, or roots with --roots (ids as text, so that none is rounded), with what they are annotated with;
    edges carry weight, synapse_count, size_voxels and mean_confidence. With --multi every synapse is an edge of its
    own, with cleft_id, confidence, size_voxels and position.
    """
    import json

    from connectome.graph.summary import summarise
    from connectome.query.graphs import GraphFormat, export_graph
    from connectome.query.networks import GraphChoice, read_network
    from connectome.store.database import Database

    with Database.open(selecting.database_url, selecting.data_folder) as database:
        choice = GraphChoice(where=selecting.where, multi=multi)
        saved = export_graph(database, output, GraphFormat.GRAPHML, choice, say)
        summary = summarise(read_network(database, choice))
    if as_json:
        typer.echo(json.dumps({"path": str(saved.path), **summary_json(summary)}, indent=2))
        return
    print_saved_graph(saved, as_json)
    print_summary(summary)
