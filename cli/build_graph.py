"""`connectome build graph`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import (
    DEFAULT_DATA_FOLDER,
    DatabaseUrlOption,
    DataFolderOption,
    JsonOption,
    RunOption,
)
from connectome.cli.output.graph import MinConfidenceOption, MinSynapsesOption, MultiOption, print_saved_graph


def graph(
    run: RunOption,
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
    min_synapses: MinSynapsesOption = 1,
    min_confidence: MinConfidenceOption = 0.0,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Build the graph of a finished run, save it as GraphML and sum it up.

    Nodes are segments (ids as text, so that none is rounded), edges carry synapse_count, size_voxels and
    mean_confidence. With --multi every synapse is an edge of its own, with cleft_id, confidence, size_voxels and
    position.
    """
    from connectome.query.graphs import GraphSelection, export_graphml
    from connectome.store.database import Database

    selection = GraphSelection(multi=multi, min_synapses=min_synapses, min_confidence=min_confidence)
    with Database.open(database_url, data_folder) as database:
        saved = export_graphml(database, run, output, selection)
    print_saved_graph(saved, as_json)
