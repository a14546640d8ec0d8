"""`connectome plot`: figures of the graph of a run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.graph import LimitOption, NullsOption, SeedOption
from connectome.cli.options.filter import Selecting, selects
from connectome.cli.output.rows import say

app = typer.Typer(no_args_is_help=True, help="Draw a graph: adjacency, distributions, partners, motifs.")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The figure: .svg, .pdf or .png.")]


class Order(StrEnum):
    """What neurons are grouped by."""

    TYPE = "type"
    COMMUNITY = "community"


@app.command()
@selects
def adjacency(
    file: FileArgument,
    selecting: Selecting,
    order: Annotated[Order, typer.Option("--order", help="What neurons are grouped by.")] = Order.TYPE,
    label: Annotated[str, typer.Option("--label", help="The annotation that --order type goes by.")] = "type",
) -> None:
    """The matrix of synapses, neurons grouped by type or by community."""
    from connectome.query.connectome import Connectome
    from connectome.query.figures import plot_adjacency

    with Connectome.open(selecting.database_url, selecting.data_folder, tell=say) as connectome:
        plot_adjacency(connectome, file, selecting.where, label if order is Order.TYPE else None)
    typer.echo(file)


@app.command()
@selects
def distributions(file: FileArgument, selecting: Selecting) -> None:
    """How many partners and synapses neurons have, and edges synapses."""
    from connectome.query.connectome import Connectome
    from connectome.query.figures import plot_distributions

    with Connectome.open(selecting.database_url, selecting.data_folder, tell=say) as connectome:
        plot_distributions(connectome, file, selecting.where)
    typer.echo(file)


@app.command()
@selects
def partners(
    file: FileArgument,
    neuron: Annotated[str, typer.Argument(metavar="NEURON", help="Its id or name.")],
    selecting: Selecting,
    limit: LimitOption = 20,
) -> None:
    """The strongest partners of a neuron, inputs and outputs, coloured by type."""
    from connectome.query.connectome import Connectome
    from connectome.query.figures import plot_partners

    with Connectome.open(selecting.database_url, selecting.data_folder, tell=say) as connectome:
        plot_partners(connectome, file, neuron, selecting.where, limit)
    typer.echo(file)


@app.command()
@selects
def motifs(file: FileArgument, selecting: Selecting, nulls: NullsOption = 20, seed: SeedOption = 0) -> None:
    """The profile of triads against rewired networks (see `graph census`)."""
    from connectome.query.connectome import Connectome
    from connectome.query.figures import plot_motifs

    with Connectome.open(selecting.database_url, selecting.data_folder, tell=say) as connectome:
        plot_motifs(connectome, file, selecting.where, nulls, seed)
    typer.echo(file)
