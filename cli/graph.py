"""`connectome graph`: questions about the graph of a run as a whole."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options.database import JsonOption
from connectome.cli.options.filter import Selecting, selects
from connectome.cli.output.rows import Format, print_rows, say

if TYPE_CHECKING:
    from connectome.graph.network import Network

app = typer.Typer(no_args_is_help=True, help="Ask of a graph as a whole: a summary, hubs, motifs, communities, layers.")


class HubOrder(StrEnum):
    """What hubs are ordered by."""

    SYNAPSES = "synapses"
    PARTNERS = "partners"
    PAGERANK = "pagerank"


class Cost(StrEnum):
    """What a step of a path costs."""

    HOPS = "hops"
    SYNAPSES = "synapses"
    FRACTION = "fraction"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the rows.")]
NullsOption = Annotated[int, typer.Option("--random", min=2, metavar="N", help="So many random networks.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same answer.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many rows.")]


@app.command()
@selects
def summary(selecting: Selecting, as_json: JsonOption = False) -> None:
    """Print a page: nodes, edges, synapses, reciprocity, components, degrees, weights, the strongest edges."""
    import json

    from connectome.cli.output.graph import print_summary, summary_json
    from connectome.graph.summary import summarise

    found = summarise(_network(selecting))
    if as_json:
        typer.echo(json.dumps(summary_json(found), indent=2))
    else:
        print_summary(found)


@app.command()
@selects
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run, or RUN@VERSION of its roots.")],
    second: Annotated[str, typer.Argument(metavar="B", help="What to compare it with, likewise.")],
    selecting: Selecting,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs, or two versions of the roots: edges gained, lost and changed, and correlations.

    The filter means both; --run and --roots are what A and B leave out. Neurons are matched by their ids.

    Example: connectome graph compare first first@v2
    """
    import dataclasses
    import json

    from connectome.graph.compare import compare as compared
    from connectome.query.graphs import read_pair
    from connectome.store.database import Database

    with Database.open(selecting.database_url, selecting.data_folder) as database:
        found = compared(*read_pair(database, first, second, selecting.where, say))
    columns = {name: values[:limit] for name, values in found.edges.items()}
    figures = {name: value for name, value in dataclasses.asdict(found).items() if name != "edges"}
    if as_json:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        texts = [{name: str(value) if name.endswith("_id") else value for name, value in row.items()} for row in rows]
        typer.echo(json.dumps(figures | {"edges": texts}, indent=2))
        return
    for name, value in figures.items():
        shown = "-" if value is None else f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
        typer.echo(f"{name.replace('_', ' '):<18} {shown}")
    if columns["pre_id"]:
        typer.echo("largest changes")
        print_rows(list(columns), zip(*columns.values(), strict=True), Format.TABLE)


@app.command()
@selects
def hubs(
    selecting: Selecting,
    by: Annotated[HubOrder, typer.Option("--by", help="What makes a hub.")] = HubOrder.SYNAPSES,
    limit: LimitOption = 20,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """The neurons of the most synapses, partners or PageRank (weighted by synapses)."""
    from connectome.graph import measures

    _print(measures.hubs(_network(selecting), measures.HubOrder(by.value), limit), output_format)


@app.command()
@selects
def components(selecting: Selecting, output_format: FormatOption = Format.TABLE) -> None:
    """The weak and the strong component of each neuron; 1 is the largest."""
    from connectome.graph import measures

    _print(measures.components(_network(selecting)), output_format)


@app.command()
@selects
def layers(selecting: Selecting, output_format: FormatOption = Format.TABLE) -> None:
    """How early each neuron lies in the flow from inputs to outputs, the first on top (Carmel et al. 2004)."""
    from connectome.graph import measures

    _print(measures.layers(_network(selecting)), output_format)


@app.command()
@selects
def communities(
    selecting: Selecting,
    resolution: Annotated[float, typer.Option("--resolution", min=0.0, help="Above 1: smaller communities.")] = 1.0,
    seed: SeedOption = 0,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """The community of each neuron, by Leiden's algorithm on synapses; 1 is the largest."""
    from connectome.graph import measures

    found, modularity = measures.communities(_network(selecting), resolution, seed)
    say(f"{max(found['community'], default=0):,} communities, modularity {modularity:.4f}")
    _print(found, output_format)


@app.command("path")
@selects
def cheapest_path(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Where the path begins, an id or a name.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Where the path ends.")],
    selecting: Selecting,
    cost: Annotated[
        Cost, typer.Option("--cost", help="Of a step: 1, 1 / synapses, or -log of its share of its target's input.")
    ] = Cost.SYNAPSES,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """The cheapest path from one neuron to another, one row a step. `query path` lists all short ones."""
    from connectome.graph import measures
    from connectome.query.connectome import Connectome

    with Connectome.open(selecting.database_url, selecting.data_folder, tell=say) as connectome:
        network = connectome.network(where=selecting.where)
        start, end = (connectome.neuron(one, where=selecting.where) for one in (source, target))
    _print(measures.path(network, start, end, measures.Cost(cost.value)), output_format)


@app.command()
@selects
def census(
    selecting: Selecting, nulls: NullsOption = 20, seed: SeedOption = 0, output_format: FormatOption = Format.TABLE
) -> None:
    """How often each way of connecting three neurons occurs, against rewired networks, as z scores.

    In these each neuron keeps how many inputs and outputs it has. Autapses are left out.
    """
    from connectome.graph import census as triads

    _print(triads.census(_network(selecting), nulls, seed), output_format)


@app.command("rich-club")
@selects
def rich_club(
    selecting: Selecting, nulls: NullsOption = 20, seed: SeedOption = 0, output_format: FormatOption = Format.TABLE
) -> None:
    """Whether neurons of many partners connect among themselves more than in rewired networks."""
    from connectome.graph import measures

    _print(measures.rich_club(_network(selecting), nulls, seed), output_format)


def _network(selecting: Selecting) -> Network:
    from connectome.query.networks import GraphChoice, read_network
    from connectome.store.database import Database

    with Database.open(selecting.database_url, selecting.data_folder) as database:
        return read_network(database, GraphChoice(where=selecting.where), say)


def _print(columns: dict[str, list[Any]], output_format: Format) -> None:
    print_rows(list(columns), zip(*columns.values(), strict=True), output_format)
