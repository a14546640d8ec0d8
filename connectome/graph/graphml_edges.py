"""The edges of anybody's GraphML, one after the other, with memory for the nodes alone."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from connectome.errors import InputError, VolumeNotFoundError

NAMESPACE = "{*}"
WEIGHTS = ("synapse_count", "weight", "syn_count", "count")
NAME_OF_NODE = ("id", "name", "_nx_name", "label")
WANTED = {"size_voxels": "size_voxels", "mean_confidence": "confidence", "confidence": "confidence"}


def graphml_edges(path: Path) -> Iterator[dict[str, str]]:
    """The edges: pre, post, and synapses, size_voxels and confidence where they are told, all as texts.

    A node's name is its id in the file; where those are mere numbers of nodes (n0, n1 ..., as igraph writes them), it
    is what its attribute id, name or label says. The weight of an edge is its attribute synapse_count or weight.

    Raises:
        VolumeNotFoundError: there is no such file.
        InputError: it isn't GraphML with directed edges.
    """
    keys: dict[str, str] = {}
    names: dict[str, str] = {}
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            for _, element in etree.iterparse(file, events=("end",), resolve_entities=False, no_network=True):
                match etree.QName(element).localname:
                    case "key":
                        keys[element.get("id", "")] = element.get("attr.name", "")
                    case "node":
                        names[element.get("id", "")] = _name(element, _data(element, keys))
                        _forget(element)
                    case "edge":
                        yield _edge(element, _data(element, keys), names, path)
                        _forget(element)
    except FileNotFoundError as error:
        raise VolumeNotFoundError(f"no file at {path}") from error
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"{path} isn't a GraphML file: {error}") from error


def _data(element: etree._Element, keys: dict[str, str]) -> dict[str, str]:
    found = element.iterfind(f"{NAMESPACE}data")
    return {keys.get(data.get("key", ""), ""): (data.text or "").strip() for data in found}


def _name(node: etree._Element, data: dict[str, str]) -> str:
    own: str = node.get("id", "")
    if own[:1] == "n" and own[1:].isdigit():
        return next((data[name] for name in NAME_OF_NODE if data.get(name)), own)
    return own


def _edge(edge: etree._Element, data: dict[str, str], names: dict[str, str], path: Path) -> dict[str, str]:
    graph = edge.getparent()
    if edge.get("directed", "") == "false" or (graph is not None and graph.get("edgedefault") == "undirected"):
        raise InputError(f"{path} has undirected edges; a connectome's are directed")
    ends = {
        side: names.get(edge.get(end, ""), edge.get(end, "")) for side, end in (("pre", "source"), ("post", "target"))
    }
    weight = next((data[name] for name in WEIGHTS if data.get(name)), None)
    told = {ours: data[theirs] for theirs, ours in WANTED.items() if data.get(theirs)}
    return {**ends, **told, **({} if weight is None else {"synapses": weight})}


def _forget(element: etree._Element) -> None:
    """Free what was read, and what lies before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
