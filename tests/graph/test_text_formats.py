"""Graphs as text: what is written is what networkx and igraph read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import igraph
import networkx as nx
import pytest

from connectome.errors import InputError
from connectome.graph.text_formats import (
    EDGE_COLUMNS,
    SYNAPSE_COLUMNS,
    Cytoscape,
    EdgeFile,
    Gexf,
    GraphHead,
    GraphMl,
    NodeLink,
    TextFormat,
)

# Neighbouring ids that one double holds only once; B has no edge, D an edge to itself.
A, B, C, D = 864691135000000001, 864691135000000002, 2**53 + 1, 2**63 - 1
SAID = 'β "quoted" & <tag>\tδ 🧠'
HEAD = GraphHead(attributes={"run": "r & <s>", "min_synapses": 1}, labels=["type", "a: b"], columns=EDGE_COLUMNS)
NODES = [(A, "first", ("KC", None)), (B, str(B), (None, None)), (C, SAID, (SAID, "")), (D, str(D), (None, "x%s"))]
EDGES = b"%d,%d,3,3,1099511627776,0.25\n%d,%d,1,1,0,\n%d,%d,2,2,7,1e-05\n" % (A, C, C, A, D, D)
READ: dict[type[TextFormat], Callable[[Path], nx.DiGraph]] = {
    GraphMl: nx.read_graphml,
    Gexf: nx.read_gexf,
    NodeLink: lambda path: nx.node_link_graph(json.loads(path.read_text())),
    Cytoscape: lambda path: nx.cytoscape_graph(json.loads(path.read_text())),
}
OWN = {"id", "value", "source", "target", "name"}  # what Cytoscape's JSON says twice


def write(format_type: type[TextFormat], path: Path, head: GraphHead, nodes: list, lines: bytes) -> None:
    shown, file = format_type(head), io.BytesIO()
    file.write(shown.begin().encode())
    file.write(shown.separator.join(shown.node(*node) for node in nodes).encode())
    file.write(shown.between().encode())
    edges = EdgeFile(shown, file)
    for line in lines.decode().splitlines():
        fields = line.split(",")
        known = [name for name, text in zip(list(head.columns)[1:], fields[3:], strict=True) if text]
        text = shown.edge(known).rstrip() % tuple(field for field in fields if field)
        edges.write(f"{shown.separator.strip()}{text}\n".encode())
    file.write(shown.end().encode())
    path.write_bytes(file.getvalue())


@pytest.mark.parametrize("format_type", list(READ))
def test_networkx_reads_what_was_written(format_type: type[TextFormat], tmp_path: Path) -> None:
    write(format_type, tmp_path / "graph", HEAD, NODES, EDGES)
    graph = READ[format_type](tmp_path / "graph")
    assert type(graph) is nx.DiGraph
    said = {node: {k: v for k, v in data.items() if k not in OWN} for node, data in graph.nodes(data=True)}
    assert said == {
        str(one): {"label": label, **{k: v for k, v in zip(HEAD.labels, values, strict=True) if v is not None}}
        for one, label, values in NODES
    }
    found = {(a, b): {k: v for k, v in d.items() if k not in OWN} for a, b, d in graph.edges(data=True)}
    assert found == {
        (str(A), str(C)): {"weight": 3, "synapse_count": 3, "size_voxels": 2**40, "mean_confidence": 0.25},
        (str(C), str(A)): {"weight": 1, "synapse_count": 1, "size_voxels": 0},
        (str(D), str(D)): {"weight": 2, "synapse_count": 2, "size_voxels": 7, "mean_confidence": 1e-05},
    }
    if format_type is not Gexf:
        assert {k: graph.graph[k] for k in HEAD.attributes} == HEAD.attributes


@pytest.mark.parametrize("format_type", list(READ))
@pytest.mark.parametrize("nodes", [[], NODES])
def test_graphs_without_edges_are_read(format_type: type[TextFormat], nodes: list, tmp_path: Path) -> None:
    write(format_type, tmp_path / "graph", HEAD, nodes, b"")
    graph = READ[format_type](tmp_path / "graph")
    assert sorted(graph.nodes) == sorted(str(one) for one, _, _ in nodes)
    assert graph.number_of_edges() == 0


def test_igraph_reads_ids_labels_and_weights(tmp_path: Path) -> None:
    write(GraphMl, tmp_path / "graph", HEAD, NODES, EDGES)
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "graph"))
    assert graph.is_directed() and graph.is_weighted()
    assert graph.vs["id"] == [str(one) for one, _, _ in NODES]
    assert graph.vs["label"] == [label for _, label, _ in NODES]
    found = {(graph.vs[e.source]["id"], graph.vs[e.target]["id"]): e["weight"] for e in graph.es}
    assert found == {(str(A), str(C)): 3.0, (str(C), str(A)): 1.0, (str(D), str(D)): 2.0}


@pytest.mark.parametrize("format_type", list(READ))
def test_every_synapse_of_a_multigraph_is_read(format_type: type[TextFormat], tmp_path: Path) -> None:
    head = GraphHead(attributes={}, labels=[], columns=SYNAPSE_COLUMNS, multi=True)
    nodes = [(one, str(one), ()) for one in (A, C)]
    lines = b"%d,%d,1,%d,%d,0.5,7,1,2,3\n%d,%d,1,%d.2,%d,,7,1.5,2,3\n" % (A, C, B, B, A, C, B, B)
    write(format_type, tmp_path / "graph", head, nodes, lines)
    if format_type is GraphMl:
        graph = nx.read_graphml(tmp_path / "graph", force_multigraph=True)
        other = igraph.Graph.Read_GraphML(str(tmp_path / "graph"))
        assert other.es["cleft_id"] == [str(B)] * 2
        assert "id" not in other.es.attributes(), "igraph 1.0 fills edge ids with vertex ids"
    else:
        graph = READ[format_type](tmp_path / "graph")
    assert graph.is_multigraph() and graph.is_directed()
    assert [data["cleft_id"] for _, _, data in graph.edges(data=True)] == [str(B)] * 2
    assert [data.get("confidence") for _, _, data in graph.edges(data=True)] == [0.5, None]


@pytest.mark.parametrize("format_type", [GraphMl, Gexf])
def test_what_xml_cannot_hold_is_refused(format_type: type[TextFormat]) -> None:
    with pytest.raises(InputError, match="XML"):
        format_type(HEAD).node(1, "a\x01b", (None, None))
