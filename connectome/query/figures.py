"""Figures of the graph of a run. Only commands that draw import this: it needs matplotlib."""

from __future__ import annotations

from pathlib import Path

from connectome.graph.census import census
from connectome.graph.measures import communities, degrees
from connectome.plots.network import draw_adjacency, draw_distributions, draw_motifs, draw_partners
from connectome.query.connectome import Connectome
from connectome.selection import Direction, Filter


def plot_adjacency(connectome: Connectome, path: Path, where: Filter, label: str | None) -> None:
    """Draw the matrix of synapses, neurons grouped by an annotation; None: by community.

    Raises:
        ConfigError: nothing is annotated with the label. MissingLibraryError: communities need igraph.
    """
    network = connectome.network(where=where, labels=[] if label is None else [label])
    if label is None:
        found, _ = communities(network)
        of = dict(zip(found["neuron_id"], found["community"], strict=True))
        # padded, so that the names are in the order of the numbers
        groups = [f"{of[one]:>4}" for one in network.ids.tolist()]
    else:
        groups = [value or "" for value in network.labels[label]]
    title = f"{network.attributes['run']}: {len(network.ids):,} neurons, {len(network):,} edges"
    draw_adjacency(network.pre, network.post, network.synapse_count, groups, path, title=title)


def plot_distributions(connectome: Connectome, path: Path, where: Filter) -> None:
    """Draw how many partners and synapses neurons have, and edges synapses."""
    network = connectome.network(where=where, labels=[])
    counts = degrees(network)
    values = {
        "partners of a neuron": {"inputs": counts["in_partners"], "outputs": counts["out_partners"]},
        "synapses of a neuron": {"inputs": counts["in_synapses"], "outputs": counts["out_synapses"]},
        "synapses of an edge": {"edges": network.synapse_count},
    }
    draw_distributions(values, path, title=str(network.attributes["run"]))


def plot_partners(connectome: Connectome, path: Path, neuron: str, where: Filter, limit: int) -> None:
    """Draw the strongest partners of a neuron.

    Raises:
        SegmentIdError, NeuronNotFoundError: it is none of the run's.
    """
    network = connectome.network(where=where)
    names = dict(zip(network.ids.tolist(), network.names, strict=True))
    sides = {}
    for title, way in (("inputs", Direction.INPUTS), ("outputs", Direction.OUTPUTS)):
        rows = connectome.partners(neuron, direction=way, where=where).slice(0, limit).to_pylist()
        sides[title] = [(names[row["partner_id"]], row["partner_type"] or "", row["synapse_count"]) for row in rows]
    own = connectome.neuron(neuron, where=where)
    draw_partners(sides, path, title=f"{names.get(own, own)}, run {network.attributes['run']}")


def plot_motifs(connectome: Connectome, path: Path, where: Filter, nulls: int, seed: int) -> None:
    """Draw the profile of triads against rewired networks.

    Raises:
        MissingLibraryError: igraph isn't installed.
    """
    network = connectome.network(where=where, labels=[])
    found = census(network, nulls, seed)
    title = f"{network.attributes['run']}: triads against {nulls} rewired networks (figures: z)"
    draw_motifs(found["triad"], found["shape"], found["z"], path, title=title)
