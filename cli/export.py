"""`connectome export`: files of a run for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.graph_output import MinConfidenceOption, MinSynapsesOption, MultiOption, print_saved_graph
from connectome.cli.options import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption, RunOption

app = typer.Typer(no_args_is_help=True, help="Write the results of a run for other tools.")


@app.callback()
def export() -> None:
    """Write the results of a run for other tools."""


@app.command()
def graphml(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The GraphML file; one that is there is replaced.")],
    run: RunOption,
    multi: MultiOption = False,
    min_synapses: MinSynapsesOption = 1,
    min_confidence: MinConfidenceOption = 0.0,
    as_json: JsonOption = False,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Write the graph of a finished run as GraphML, for networkx, igraph, Gephi or Cytoscape."""
    from connectome.pipeline.graphs import GraphSelection, export_graphml
    from connectome.store.database import Database

    selection = GraphSelection(multi=multi, min_synapses=min_synapses, min_confidence=min_confidence)
    with Database.open(database_url, data_folder) as database:
        saved = export_graphml(database, run, file, selection)
    print_saved_graph(saved, as_json)
