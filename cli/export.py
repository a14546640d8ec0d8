"""`connectome export`: files of a run for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.import_tables import UnitOption
from connectome.cli.options.common import parse_lengths_nm
from connectome.cli.options.database import JsonOption
from connectome.cli.options.filter import Selecting, selects
from connectome.cli.output.graph import IsolatedOption, LabelOption, MultiOption, print_saved_graph
from connectome.cli.output.rows import Format, print_rows, say
from connectome.files import is_stdout
from connectome.tables.kinds import Columns, FileKind, kind_of

if TYPE_CHECKING:
    from connectome.tables.synapse_writing import TableTarget


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The table; one that is there is replaced; - is stdout.")
]
FormatOption = Annotated[
    FileKind | None,
    typer.Option("--format", show_default=False, help="The kind of file. Default: what its name says; CSV for -."),
]
ColumnsOption = Annotated[Columns, typer.Option("--columns", help="Whose columns to write.")]

app = typer.Typer(no_args_is_help=True, help="Write the results of a run for other tools.")


EXPORTS = {
    "graphml": ("networkx, igraph, Gephi, Cytoscape", "Gephi takes some 100,000 edges", "graph.graphml --label type"),
    "gexf": ("Gephi, networkx", "no place for the run's name but a comment", "graph.gexf --min-synapses 5"),
    "json": ("networkx node_link_graph, D3", "read whole into memory", "graph.json --pre-type KC"),
    "cyjs": ("Cytoscape, Cytoscape.js", "Cytoscape takes some 100,000 edges", "graph.cyjs --min-synapses 10"),
    "npz": ("scipy.sparse.load_npz; numpy for ids", "synapses alone, no sizes", "graph.npz --roots v1"),
    "neo4j": ("neo4j-admin database import", "a folder; into an empty database", "neo4j/ --label type"),
    "edges": ("pandas, polars, DuckDB, R, Excel", "CSV, TSV, Parquet, Feather", "edges.parquet --columns cave"),
    "neurons": ("pandas, polars, DuckDB, R, Excel", "CSV, TSV, Parquet, Feather", "neurons.csv --isolated"),
    "synapses": ("CAVE, FlyWire, Synaptor, neuPrint tools", "runs with synapses", "synapses.feather --columns cave"),
    "annotations": (
        "Neuroglancer, precomputed://",
        "runs with synapses; made in memory, about 1 GB a million",
        "lines/",
    ),
}
"""What each is for, its limits, and an example."""


def _list(wanted: bool) -> None:
    """Print what can be written."""
    if wanted:
        rows = [(name, *told[:2], f"connectome export {name} {told[2]}") for name, told in EXPORTS.items()]
        print_rows(("name", "for", "limits", "example"), rows, Format.TABLE)
        raise typer.Exit


@app.callback()
def export(
    list_all: Annotated[
        bool, typer.Option("--list", callback=_list, is_eager=True, help="Show what each is for, limits, an example.")
    ] = False,
) -> None:
    """Write the results of a run for other tools. All take the same filter, and --roots."""


def _graph_command(name: str, text: str) -> None:
    """A command that writes a graph in one of the text formats."""

    @selects
    def command(
        file: Annotated[
            Path, typer.Argument(metavar="FILE", help="The file; one that is there is replaced; - is stdout.")
        ],
        selecting: Selecting,
        multi: MultiOption = False,
        label: LabelOption = None,
        isolated: IsolatedOption = False,
        as_json: JsonOption = False,
    ) -> None:
        from connectome.query.graphs import GraphFormat, export_graph
        from connectome.query.networks import GraphChoice
        from connectome.store.database import Database

        choice = GraphChoice(where=selecting.where, multi=multi, labels=label, isolated=isolated)
        with Database.open(selecting.database_url, selecting.data_folder) as database:
            saved = export_graph(database, file, GraphFormat(name), choice, say)
        print_saved_graph(saved, as_json)

    app.command(name, help=f"{text} With --roots nodes are roots.")(command)


for _name, _text in {
    "graphml": "Write the graph of a run as GraphML, for networkx, igraph, Gephi or Cytoscape.",
    "gexf": "Write the graph of a run as GEXF, for Gephi or networkx.",
    "json": "Write the graph of a run as node-link JSON, for networkx or D3.",
    "cyjs": "Write the graph of a run as Cytoscape's JSON, for Cytoscape or Cytoscape.js.",
}.items():
    _graph_command(_name, _text)


@app.command()
@selects
def npz(
    file: Annotated[Path, typer.Argument(metavar="FILE.npz", help="The file; one that is there is replaced.")],
    selecting: Selecting,
    label: LabelOption = None,
    isolated: IsolatedOption = False,
) -> None:
    """Write the matrix of synapses for scipy.sparse.load_npz, with the ids of rows and columns as `ids`."""
    from connectome.query.exporting import export_npz
    from connectome.query.networks import GraphChoice
    from connectome.store.database import Database

    choice = GraphChoice(where=selecting.where, labels=label, isolated=isolated)
    with Database.open(selecting.database_url, selecting.data_folder) as database:
        neurons, count = export_npz(database, file, choice, say)
    typer.echo(f"{file}: {neurons:,} neurons, {count:,} edges")


@app.command()
@selects
def neo4j(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for neurons.csv and edges.csv.")],
    selecting: Selecting,
    label: LabelOption = None,
    isolated: IsolatedOption = False,
) -> None:
    """Write neurons.csv and edges.csv for neo4j-admin.

    Then: neo4j-admin database import full --nodes=FOLDER/neurons.csv --relationships=FOLDER/edges.csv
    --multiline-fields=true
    """
    from connectome.query.exporting import export_neo4j
    from connectome.query.networks import GraphChoice
    from connectome.store.database import Database

    choice = GraphChoice(where=selecting.where, labels=label, isolated=isolated)
    with Database.open(selecting.database_url, selecting.data_folder) as database:
        neurons, count = export_neo4j(database, folder, choice, say)
    typer.echo(f"{folder}: {neurons:,} neurons, {count:,} edges")


@app.command("annotations")
@selects
def annotations_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")], selecting: Selecting
) -> None:
    """Write the synapses of a run as Neuroglancer's precomputed annotations: lines from pre to post.

    Selecting a segment shows its synapses (relationships pre, post and cleft). Serve the folder with CORS, and open
    precomputed://http://HOST/FOLDER as a layer.
    """
    from connectome.query.exporting import export_annotations
    from connectome.store.database import Database

    with Database.open(selecting.database_url, selecting.data_folder) as database:
        count = export_annotations(database, folder, selecting.where, say)
    typer.echo(f"{folder}: {count:,} synapses")


@app.command()
@selects
def neurons(
    file: FileArgument,
    selecting: Selecting,
    output_format: FormatOption = None,
    label: LabelOption = None,
    isolated: IsolatedOption = False,
) -> None:
    """Write the neurons of a run as a table, a column a label."""
    from connectome.query.exporting import export_neurons
    from connectome.query.networks import GraphChoice
    from connectome.store.database import Database

    choice = GraphChoice(where=selecting.where, labels=label, isolated=isolated)
    with Database.open(selecting.database_url, selecting.data_folder) as database:
        count = export_neurons(database, file, output_format or kind_of(file), choice, say)
    typer.echo(f"{file}: {count:,} neurons", err=is_stdout(file))


@app.command()
@selects
def synapses(
    file: FileArgument,
    selecting: Selecting,
    output_format: FormatOption = None,
    columns: ColumnsOption = Columns.CONNECTOME,
    partners: Annotated[
        Path | None,
        typer.Option("--partners", metavar="FILE", show_default=False, help="neuPrint's second table; FILE: points."),
    ] = None,
    unit: UnitOption = None,
) -> None:
    """Write the synapses of a run as a table, streaming, in the columns of other tools if you like.

    With --roots the partners are the roots. `connectome import synapses` reads it back.
    """
    from connectome.query.exporting import export_synapses
    from connectome.store.database import Database

    target = _target(file, output_format, columns, unit)
    with Database.open(selecting.database_url, selecting.data_folder) as database:
        count = export_synapses(database, target, selecting.where, say, partners=partners)
    typer.echo(f"{file}: {count:,} synapses", err=is_stdout(file))


@app.command()
@selects
def edges(
    file: FileArgument,
    selecting: Selecting,
    output_format: FormatOption = None,
    columns: ColumnsOption = Columns.CONNECTOME,
) -> None:
    """Write the edges of a run as a table, streaming, in the columns of other tools if you like."""
    from connectome.query.exporting import export_edges
    from connectome.store.database import Database

    target = _target(file, output_format, columns, None)
    with Database.open(selecting.database_url, selecting.data_folder) as database:
        count = export_edges(database, target, selecting.where, say)
    typer.echo(f"{file}: {count:,} edges", err=is_stdout(file))


def _target(file: Path, kind: FileKind | None, columns: Columns, unit: str | None) -> TableTarget:
    from connectome.tables.synapse_writing import TableTarget

    unit_nm = parse_lengths_nm(unit, "--unit") or (1.0, 1.0, 1.0)
    kind = kind or (FileKind.CSV if is_stdout(file) else kind_of(file))
    return TableTarget(path=file, kind=kind, columns=columns, unit_nm=unit_nm)
