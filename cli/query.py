"""`connectome query`: what analysts ask, one command a question."""

from __future__ import annotations

from typing import Annotated

import typer

from connectome.cli.options.filter import Asking, asks
from connectome.selection import Direction, NmBox, Side

app = typer.Typer(no_args_is_help=True, help="Ask a connectome: partners, edges, paths, matrices, synapses.")


NeuronsArgument = Annotated[list[str], typer.Argument(metavar="NEURON...", help="Ids (or names) of neurons.")]
SideOption = Annotated[Side, typer.Option("--side", help="Common inputs, or common outputs.")]
PreOption = Annotated[
    list[str] | None,
    typer.Option("--pre", metavar="NEURON", show_default=False, help="Presynaptic neuron; may be repeated."),
]
PostOption = Annotated[
    list[str] | None,
    typer.Option("--post", metavar="NEURON", show_default=False, help="Postsynaptic neuron; may be repeated."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many rows.")]


@app.command()
@asks
def partners(
    neurons: NeuronsArgument,
    asking: Asking,
    direction: Annotated[Direction, typer.Option("--direction", help="Which partners.")] = Direction.BOTH,
) -> None:
    """Partners of neurons with counts and fractions, the strongest first.

    input_fraction: the edge's share of all synapses that its postsynaptic neuron receives.
    """
    asking.answer(lambda c: c.partners(neurons, direction=direction, where=asking.where))


@app.command()
@asks
def totals(neurons: NeuronsArgument, asking: Asking) -> None:
    """Synapses and partners of neurons, on each side."""
    asking.answer(lambda c: c.totals(neurons, where=asking.where))


@app.command()
@asks
def between(asking: Asking, pre: PreOption = None, post: PostOption = None) -> None:
    """Edges from the neurons of one list (--pre) to those of another (--post)."""
    if not (pre and post):
        raise typer.BadParameter("give both lists, --pre and --post")
    asking.answer(lambda c: c.between(pre or [], post or [], where=asking.where))


@app.command()
@asks
def synapses(asking: Asking, pre: PreOption = None, post: PostOption = None) -> None:
    """Synapses one by one; all of the run, or those of --pre and --post."""
    asking.answer(lambda c: c.synapses(pre=pre, post=post, where=asking.where))


@app.command()
@asks
def box(
    box: Annotated[str, typer.Argument(metavar="z0:z1,y0:y1,x0:x1", help="Box in nm; start inclusive.")], asking: Asking
) -> None:
    """Synapses whose clefts' centroids lie in a box."""
    chosen = NmBox.parse(box)
    asking.answer(lambda c: c.in_box(chosen, where=asking.where))


@app.command()
@asks
def path(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Where paths begin.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Where paths end.")],
    asking: Asking,
    max_hops: Annotated[int, typer.Option("--max-hops", min=1, max=8, metavar="N", help="At most so many edges.")] = 3,
    limit: LimitOption = 100,
) -> None:
    """Paths from one neuron to another: the shortest first, then the strongest."""
    asking.answer(lambda c: c.paths(source, target, max_hops=max_hops, limit=limit, where=asking.where))


@app.command()
@asks
def neighbourhood(
    neurons: NeuronsArgument,
    asking: Asking,
    hops: Annotated[int, typer.Option("--hops", min=1, max=8, metavar="N", help="At most so many edges away.")] = 2,
    direction: Annotated[Direction, typer.Option("--direction", help="Which way.")] = Direction.BOTH,
) -> None:
    """Neurons within so many edges of neurons, the nearest first."""
    asking.answer(lambda c: c.neighbourhood(neurons, hops=hops, direction=direction, where=asking.where))


@app.command()
@asks
def top(asking: Asking, limit: LimitOption = 10) -> None:
    """The edges of the most synapses."""
    asking.answer(lambda c: c.top(limit, where=asking.where))


@app.command()
@asks
def edges(asking: Asking) -> None:
    """All edges, ordered by their neurons."""
    asking.answer(lambda c: c.edges(where=asking.where))


@app.command()
@asks
def matrix(
    asking: Asking,
    neurons: Annotated[list[str] | None, typer.Argument(metavar="NEURON...", help="Ids (or names) of neurons.")] = None,
    types: Annotated[bool, typer.Option("--types", help="From type to type instead, over all typed neurons.")] = False,
) -> None:
    """Synapses among neurons, one row a presynaptic and one column a postsynaptic neuron; or from type to type."""
    if types == bool(neurons):
        raise typer.BadParameter("give neurons, or --types")
    if types:
        asking.answer(lambda c: c.type_matrix(where=asking.where))
    else:
        asking.answer(lambda c: c.matrix(neurons or [], where=asking.where))


@app.command()
@asks
def shared(
    neurons: NeuronsArgument,
    asking: Asking,
    side: SideOption = Side.INPUTS,
    at_least: Annotated[
        int | None,
        typer.Option("--at-least", min=1, metavar="N", show_default=False, help="Of so many neurons. Default: of all."),
    ] = None,
) -> None:
    """Partners that neurons have in common."""
    asking.answer(lambda c: c.shared(neurons, side=side, at_least=at_least, where=asking.where))


@app.command()
@asks
def similarity(neurons: NeuronsArgument, asking: Asking, side: SideOption = Side.INPUTS) -> None:
    """Cosine similarity of the partners of every two neurons."""
    asking.answer(lambda c: c.similarity(neurons, side=side, where=asking.where))


@app.command()
@asks
def reciprocal(asking: Asking) -> None:
    """Pairs of neurons with edges both ways."""
    asking.answer(lambda c: c.reciprocal(where=asking.where))


@app.command()
@asks
def autapses(asking: Asking) -> None:
    """Edges from a neuron to itself."""
    asking.answer(lambda c: c.autapses(where=asking.where))
