"""Options and output of the commands that make graphs."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.files import is_stdout

if TYPE_CHECKING:
    from connectome.graph.summary import GraphSummary, Spread
    from connectome.query.graphs import SavedGraph

MultiOption = Annotated[bool, typer.Option("--multi", help="One edge a synapse instead of one a pair of neurons.")]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="LABEL",
        show_default=False,
        help="Annotation that nodes carry; may be repeated. Default: all.",
    ),
]
IsolatedOption = Annotated[bool, typer.Option("--isolated", help="Also annotated neurons without an edge in it.")]


def print_saved_graph(saved: SavedGraph, as_json: bool) -> None:
    """Print where a graph went and how much is in it."""
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(saved), "path": str(saved.path)}), err=is_stdout(saved.path))
        return
    typer.echo(
        f"{saved.path}: {saved.nodes:,} nodes, {saved.edges:,} edges, {saved.synapses:,} synapses",
        err=is_stdout(saved.path),
    )


def summary_json(summary: GraphSummary) -> dict[str, object]:
    """A summary as plain values."""
    edges = [{"pre_id": a, "post_id": b, "synapse_count": n} for a, b, n in summary.top_edges]
    return dataclasses.asdict(summary) | {"top_edges": edges}


def print_summary(summary: GraphSummary) -> None:
    """Print a summary as a page."""
    rows = {
        "nodes": f"{summary.nodes:,}",
        "edges": f"{summary.edges:,}",
        "synapses": f"{summary.synapses:,}",
        "autapses": f"{summary.autapses:,}",
        "density": f"{summary.density:.4g}",
        "reciprocal pairs": f"{summary.reciprocal_pairs:,}",
        "reciprocity": f"{summary.reciprocity:.4f}",
        "weak components": f"{summary.weak_components:,}, the largest of {summary.largest_weak:,} nodes",
        "strong components": f"{summary.strong_components:,}, the largest of {summary.largest_strong:,} nodes",
        "without input": f"{summary.without_input:,}",
        "without output": f"{summary.without_output:,}",
        "inputs of a node": _spread(summary.in_degree),
        "outputs of a node": _spread(summary.out_degree),
        "synapses an edge": _spread(summary.weight),
    }
    for name, value in rows.items():
        typer.echo(f"{name:<18} {value}")
    if summary.top_edges:
        typer.echo("strongest edges")
    width = max((len(segment) for edge in summary.top_edges for segment in edge[:2]), default=0)
    for pre, post, synapse_count in summary.top_edges:
        typer.echo(f"  {pre:>{width}} -> {post:<{width}}  {synapse_count:,} synapse{'s' if synapse_count > 1 else ''}")


def _spread(found: Spread) -> str:
    return f"mean {found.mean:.1f}, median {found.median:g}, 95 % {found.percentile_95:g}, largest {found.largest:,}"
