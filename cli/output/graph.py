"""Options and output that `build graph` and `export graphml` share."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from connectome.query.graphs import SavedGraph

MultiOption = Annotated[bool, typer.Option("--multi", help="One edge a synapse instead of one a pair of segments.")]


def print_saved_graph(saved: SavedGraph, as_json: bool) -> None:
    """Print where a graph went and its summary."""
    summary = saved.summary
    if as_json:
        edges = [{"pre_segment_id": a, "post_segment_id": b, "synapse_count": n} for a, b, n in summary.top_edges]
        typer.echo(json.dumps({"path": str(saved.path), **dataclasses.asdict(summary), "top_edges": edges}, indent=2))
        return
    rows = {
        "file": saved.path,
        "nodes": f"{summary.nodes:,}",
        "edges": f"{summary.edges:,}",
        "synapses": f"{summary.synapses:,}",
        "reciprocal pairs": f"{summary.reciprocal_pairs:,}",
        "autapses": f"{summary.autapses:,}",
        "largest component": f"{summary.largest_component:,} nodes",
    }
    for name, value in rows.items():
        typer.echo(f"{name:<18} {value}")
    if summary.top_edges:
        typer.echo("strongest edges")
    width = max((len(segment) for edge in summary.top_edges for segment in edge[:2]), default=0)
    for pre, post, synapse_count in summary.top_edges:
        typer.echo(f"  {pre:>{width}} -> {post:<{width}}  {synapse_count:,} synapse{'s' if synapse_count > 1 else ''}")
