"""GraphML: what is written is what networkx and igraph read."""

from __future__ import annotations

import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import igraph
import networkx as nx
import pytest
from tables import edges, synapse, synapses

from connectome.errors import InputError, StorageError, VolumeNotFoundError
from connectome.graph.build import edge_graph, synapse_graph
from connectome.graph.graphml import read_graphml, write_graphml
from connectome.records import Synapses

# Neighbouring ids that one double holds only once.
A, B, C, D = 2**53 + 1, 864691135000000001, 864691135000000002, 2**63 - 1


def _edge(pre: int, post: int, count: int) -> tuple[int, int, int, int, float]:
    return pre, post, count, 2**40 + count, 1.0


def _synapse(cleft_id: int, pre: int, post: int, confidence: float = 0.1) -> Synapses:
    return synapse(cleft_id, pre, post, confidence, 7, (30.5, 20.0, -10.0))


EDGES = edge_graph(
    edges([_edge(A, B, 3), _edge(B, A, 1), _edge(C, D, 2), _edge(D, D, 1)]), {"run": "r", "min_synapses": 1}
)
SYNAPSES = synapse_graph(
    synapses([_synapse(B, A, B), _synapse(C, A, B, 1.0), _synapse(7, D, D), _synapse(8, C, A), _synapse(8, C, D)]),
    {"run": "r"},
)
WITHOUT_PARALLEL_EDGES = synapse_graph(synapses([_synapse(B, A, B), _synapse(C, B, A)]))


@contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    """Writing beyond `size` bytes fails with an OSError, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize(
    "graph", [EDGES, SYNAPSES, WITHOUT_PARALLEL_EDGES, edge_graph(edges([])), synapse_graph(synapses([]))]
)
def test_a_graph_reads_back_as_it_was_written(graph: nx.DiGraph, tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(graph, path)
    back = read_graphml(path)
    assert type(back) is type(graph)
    assert nx.utils.graphs_equal(back, graph)


def test_plain_networkx_reads_the_same_simple_graph(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(EDGES, path)
    back = nx.read_graphml(path)
    assert dict(back.nodes(data=True)) == dict(EDGES.nodes(data=True))
    assert {(u, v): d for u, v, d in back.edges(data=True)} == {(u, v): d for u, v, d in EDGES.edges(data=True)}


def test_networkx_reads_the_same_multigraph_when_told_that_it_is_one(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(WITHOUT_PARALLEL_EDGES, path)
    back = nx.read_graphml(path, force_multigraph=True)
    assert sorted(back.edges(data="cleft_id")) == sorted(WITHOUT_PARALLEL_EDGES.edges(data="cleft_id"))


def test_igraph_reads_the_same_nodes_edges_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(EDGES, path)
    back = igraph.Graph.Read_GraphML(str(path))
    assert back.is_directed()
    assert sorted(back.vs["id"]) == sorted(str(segment) for segment in (A, B, C, D))
    found = {
        (back.vs[edge.source]["id"], back.vs[edge.target]["id"]): (edge["synapse_count"], edge["size_voxels"])
        for edge in back.es
    }
    assert found == {(u, v): (d["synapse_count"], d["size_voxels"]) for u, v, d in EDGES.edges(data=True)}


def test_igraph_reads_every_synapse_of_a_multigraph_with_its_cleft_id(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(SYNAPSES, path)
    back = igraph.Graph.Read_GraphML(str(path))
    found = sorted((back.vs[e.source]["id"], back.vs[e.target]["id"], e["cleft_id"]) for e in back.es)
    assert found == sorted(SYNAPSES.edges(data="cleft_id"))
    assert "id" not in back.es.attributes(), "igraph 1.0 fills edge ids with vertex ids"


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    write_graphml(EDGES, path)
    before = path.read_bytes()
    bad = edge_graph(edges([_edge(1, 2, 1)]), {"run": "a\x00b"})
    with pytest.raises(InputError, match="GraphML"):
        write_graphml(bad, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"graph\.graphml can't be written: No such file or directory"):
        write_graphml(EDGES, tmp_path / "nowhere" / "graph.graphml")


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    large = edge_graph(edges([_edge(i, i + 1, 1) for i in range(3000)]))
    with _file_size_limit(50_000), pytest.raises(StorageError, match="can't be written"):
        write_graphml(large, path)
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.gz"):
        write_graphml(EDGES, tmp_path / "graph.graphml.gz")


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_graphml(EDGES, tmp_path / "graph.graphml")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "graph.graphml")}
    assert len(modes) == 1


def test_reading_what_is_no_graphml_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError, match="no file"):
        read_graphml(tmp_path / "absent.graphml")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InputError, match="isn't a GraphML file"):
        read_graphml(tmp_path / "text")
    undirected = tmp_path / "undirected.graphml"
    nx.write_graphml(nx.Graph([("1", "2")]), undirected)
    with pytest.raises(InputError, match="undirected"):
        read_graphml(undirected)
