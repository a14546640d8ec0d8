"""Graphs of a run, from the store."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from connectome.errors import ConfigError
from connectome.graph.build import ConnectomeGraph, edge_graph, synapse_graph
from connectome.graph.graphml import write_graphml
from connectome.graph.summary import GraphSummary, summarise
from connectome.store.database import Database
from connectome.store.findings.reading import read_edges, read_synapses
from connectome.store.runs.finished import finished_run

GRAPHML_NAME = "graph.graphml"


@dataclass(frozen=True, kw_only=True)
class GraphSelection:
    """What goes into a graph.

    Attributes:
        multi: one edge a synapse instead of one edge for all synapses of a pair.
        min_synapses: leave out edges of fewer synapses, at least 1.
        min_confidence: leave out synapses of a lower confidence, in [0, 1]; they aren't counted either.
    """

    multi: bool = False
    min_synapses: int = 1
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        """Refuse thresholds that have no meaning.

        Raises:
            ConfigError: one is out of its range.
        """
        if self.min_synapses < 1:
            raise ConfigError(f"--min-synapses {self.min_synapses} must be at least 1")
        check_min_confidence(self.min_confidence)


def check_min_confidence(value: float) -> None:
    """Refuse a threshold that no confidence can lie on.

    Raises:
        ConfigError: it isn't in [0, 1].
    """
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        raise ConfigError(f"--min-confidence {value:g} must lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class SavedGraph:
    """A graph file and what is in it."""

    path: Path
    summary: GraphSummary


def build_graph(database: Database, run_name: str, selection: GraphSelection | None = None) -> ConnectomeGraph:
    """The NetworkX graph of a finished run: a DiGraph, or a MultiDiGraph with one edge a synapse.

    Thresholds choose synapses, then edges, in the database; the multigraph holds the chosen synapses of the chosen
    edges, so both kinds have the same nodes and the same pairs. The run's name and the thresholds are attributes of the
    graph.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
    """
    selection = selection or GraphSelection()
    run = finished_run(database, run_name)
    attributes: dict[str, str | int | float] = {
        "run": run.name,
        "min_synapses": selection.min_synapses,
        "min_confidence": float(selection.min_confidence),
    }
    edges = read_edges(
        database, run.run_id, min_synapses=selection.min_synapses, min_confidence=selection.min_confidence
    )
    if not selection.multi:
        return edge_graph(edges, attributes)
    synapses = read_synapses(database, run.run_id, min_confidence=selection.min_confidence)
    chosen = set(zip(edges.pre_segment_id.tolist(), edges.post_segment_id.tolist(), strict=True))
    pairs = zip(synapses.pre_segment_id.tolist(), synapses.post_segment_id.tolist(), strict=True)
    return synapse_graph(synapses.take(np.array([pair in chosen for pair in pairs], bool)), attributes)


def export_graphml(
    database: Database, run_name: str, path: Path | None = None, selection: GraphSelection | None = None
) -> SavedGraph:
    """Build a run's graph and write it as GraphML.

    Args:
        database: where the run is.
        run_name: a finished run.
        path: the file; None = graph.graphml in the run's folder.
        selection: what goes into the graph; None = every synapse, aggregated.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
        StorageError: the file can't be written; what was there is kept.
    """
    graph = build_graph(database, run_name, selection)
    target = path or finished_run(database, run_name).folder / GRAPHML_NAME
    write_graphml(graph, target)
    return SavedGraph(path=target, summary=summarise(graph))
