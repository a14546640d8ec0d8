"""Graphs as text, written row by row: GraphML, GEXF, node-link and Cytoscape JSON.

A format says what stands before, between and after nodes and edges. An edge is a template that PostgreSQL fills, so
that its lines go from the connection to the file as they are. Ids are strings: JavaScript, Gephi and igraph keep whole
numbers as doubles. GraphML gives an `<edge>` no id: igraph 1.0 reads one, but then gives the edges ids of vertices.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from connectome.errors import InputError
from connectome.graph.network import Attributes

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
WHOLE, REAL, TEXT = "long", "double", "string"
KEY, KEY_OF_NETWORKX = "key", "networkx_key"  # tells the synapses of a pair apart; what networkx calls it in GEXF
MAY_BE_UNKNOWN = ("mean_confidence", "confidence")
EDGE_COLUMNS = {"weight": WHOLE, "synapse_count": WHOLE, "size_voxels": WHOLE, "mean_confidence": REAL}
SYNAPSE_COLUMNS = {
    "weight": WHOLE,
    KEY: TEXT,
    "cleft_id": TEXT,
    "confidence": REAL,
    "size_voxels": WHOLE,
    "x_nm": REAL,
    "y_nm": REAL,
    "z_nm": REAL,
}


@dataclass(frozen=True, kw_only=True)
class GraphHead:
    """What is known of a graph before its first node.

    Attributes:
        attributes: of the graph: run, roots, filter, kind.
        labels: attributes of its nodes beside id and label.
        columns: of its edges after pre and post, with their types; the first is the weight.
        multi: one edge a synapse.
    """

    attributes: Attributes
    labels: Sequence[str]
    columns: Mapping[str, str]
    multi: bool = False


class TextFormat:
    """A format; one object writes one graph.

    Attributes:
        separator: between nodes, and between edges.
    """

    separator = ""

    def __init__(self, head: GraphHead) -> None:
        """Write a graph of this head."""
        self.head = head

    @abstractmethod
    def begin(self) -> str:
        """What stands before the nodes."""

    @abstractmethod
    def node(self, neuron_id: int, label: str, values: Sequence[str | None]) -> str:
        """A node; `values` belong to the head's labels."""

    def between(self) -> str:
        """What stands between nodes and edges."""
        return ""

    @abstractmethod
    def edge(self, known: Sequence[str]) -> str:
        """The template of an edge: a %s for pre, post and weight, then one for each of those columns."""

    def end(self) -> str:
        """What stands after the edges."""
        return ""


class EdgeFile:
    """Takes the lines of edges as PostgreSQL sends them, counts them, and puts separators between them."""

    def __init__(self, written: TextFormat, file: BinaryIO) -> None:
        """Write to a file."""
        self.rows = 0
        self._separator = written.separator.strip().encode()
        self._write = file.write

    def write(self, line: bytes) -> None:
        """Take one line; it begins with the separator, which the first one loses."""
        self._write(line if self.rows else line.removeprefix(self._separator))
        self.rows += 1


def edge_sql(written: TextFormat) -> str:
    """The expression of SQL that makes a line of an edge: pre_id, post_id and the head's columns are in scope."""
    names = list(written.head.columns)
    unknown = next(name for name in names if name in MAY_BE_UNKNOWN)
    known = names[1:]
    without = [name for name in known if name != unknown]
    return (
        f"CASE WHEN {unknown} IS NULL THEN {_line_sql(written, names[0], without)} "
        f"ELSE {_line_sql(written, names[0], known)} END"
    )


def _line_sql(written: TextFormat, weight: str, known: Sequence[str]) -> str:
    parts = [f"'{part}'" for part in (written.separator + written.edge(known)).replace("\n", "").split("%s")]
    columns = ("pre_id", "post_id", weight, *known)
    joined = [text for pair in zip(parts, columns, strict=False) for text in pair] + parts[len(columns) :]
    return " || ".join(joined)


class GraphMl(TextFormat):
    """GraphML, for networkx, igraph, Gephi and Cytoscape: `label` on nodes, `weight` on edges."""

    def begin(self) -> str:
        """The keys, and the graph's own attributes."""
        head = self.head
        kinds = {str: TEXT, int: WHOLE, float: REAL}
        keys = [("graph", f"g{i}", name, kinds[type(v)]) for i, (name, v) in enumerate(head.attributes.items())]
        keys += [("node", f"n{i}", name, TEXT) for i, name in enumerate(("label", *head.labels))]
        keys += [("edge", f"e{i}", name, kind) for i, (name, kind) in enumerate(head.columns.items())]
        lines = [
            "<?xml version='1.0' encoding='utf-8'?>",
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
            'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">',
            *(
                f'<key id="{key}" for="{of}" attr.name={_quoted(name)} attr.type="{kind}"/>'
                for of, key, name, kind in keys
            ),
            '<graph edgedefault="directed">',
            *(f'<data key="g{i}">{_escaped(str(value))}</data>' for i, value in enumerate(head.attributes.values())),
        ]
        return "\n".join(lines) + "\n"

    def node(self, neuron_id: int, label: str, values: Sequence[str | None]) -> str:
        """A node with what is known of it."""
        known = (
            f'<data key="n{i}">{_escaped(value)}</data>'
            for i, value in enumerate((label, *values))
            if value is not None
        )
        return f'<node id="{neuron_id}">{"".join(known)}</node>\n'

    def edge(self, known: Sequence[str]) -> str:
        """An edge with what is known of it."""
        names = list(self.head.columns)
        data = "".join(f'<data key="e{names.index(name)}">%s</data>' for name in (names[0], *known))
        return f'<edge source="%s" target="%s">{data}</edge>\n'

    def end(self) -> str:
        """The end."""
        return "</graph>\n</graphml>\n"


class Gexf(TextFormat):
    """GEXF 1.3, Gephi's own; networkx reads it too."""

    def begin(self) -> str:
        """Which attributes there are; where the graph is from is a comment, as GEXF has no place for it."""
        head = self.head
        kinds = {WHOLE: "long", REAL: "double", TEXT: "string"}
        nodes = [f'<attribute id="n{i}" title={_quoted(name)} type="string"/>' for i, name in enumerate(head.labels)]
        edges = [
            f'<attribute id="e{i}" title="{KEY_OF_NETWORKX if name == KEY else name}" type="{kinds[kind]}"/>'
            for i, (name, kind) in enumerate(head.columns.items())
            if i
        ]
        said = "; ".join(f"{name} {value}" for name, value in head.attributes.items())
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<gexf xmlns="http://gexf.net/1.3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:schemaLocation="http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd" version="1.3">',
            f"<meta><creator>connectome</creator><description>{_escaped(said)}</description></meta>",
            '<graph defaultedgetype="directed" mode="static">',
            *(['<attributes class="node">', *nodes, "</attributes>"] if nodes else []),
            '<attributes class="edge">',
            *edges,
            "</attributes>",
            "<nodes>",
        ]
        return "\n".join(lines) + "\n"

    def node(self, neuron_id: int, label: str, values: Sequence[str | None]) -> str:
        """A node with what is known of it."""
        known = "".join(
            f'<attvalue for="n{i}" value={_quoted(value)}/>' for i, value in enumerate(values) if value is not None
        )
        return f'<node id="{neuron_id}" label={_quoted(label)}><attvalues>{known}</attvalues></node>\n'

    def between(self) -> str:
        """From nodes to edges."""
        return "</nodes>\n<edges>\n"

    def edge(self, known: Sequence[str]) -> str:
        """An edge; its weight is an attribute of the tag."""
        names = list(self.head.columns)
        data = "".join(f'<attvalue for="e{names.index(name)}" value="%s"/>' for name in known)
        return f'<edge source="%s" target="%s" weight="%s"><attvalues>{data}</attvalues></edge>\n'

    def end(self) -> str:
        """The end."""
        return "</edges>\n</graph>\n</gexf>\n"


class NodeLink(TextFormat):
    """Node-link JSON as networkx writes it, and as D3 reads it."""

    separator = ",\n"

    def begin(self) -> str:
        """What graph this is."""
        head = self.head
        multi = "true" if head.multi else "false"
        return f'{{"directed": true, "multigraph": {multi}, "graph": {_json(dict(head.attributes))}, "nodes": [\n'

    def node(self, neuron_id: int, label: str, values: Sequence[str | None]) -> str:
        """A node with what is known of it."""
        return _json({"id": str(neuron_id), "label": label, **_known(self.head.labels, values)})

    def between(self) -> str:
        """From nodes to edges."""
        return '\n], "edges": [\n'

    def edge(self, known: Sequence[str]) -> str:
        """An edge with what is known of it."""
        return _json_edge(self.head.columns, known)

    def end(self) -> str:
        """The end."""
        return "\n]}\n"


class Cytoscape(TextFormat):
    """Cytoscape's JSON (.cyjs), for Cytoscape and Cytoscape.js."""

    separator = ",\n"

    def begin(self) -> str:
        """What graph this is."""
        head = self.head
        multi = "true" if head.multi else "false"
        said = _json(dict(head.attributes))
        return f'{{"data": {said}, "directed": true, "multigraph": {multi}, "elements": {{"nodes": [\n'

    def node(self, neuron_id: int, label: str, values: Sequence[str | None]) -> str:
        """A node with what is known of it; `name` is what Cytoscape shows."""
        known = _known(self.head.labels, values)
        return _json({"data": {"id": str(neuron_id), "value": str(neuron_id), "name": label, "label": label, **known}})

    def between(self) -> str:
        """From nodes to edges."""
        return '\n], "edges": [\n'

    def edge(self, known: Sequence[str]) -> str:
        """An edge with what is known of it."""
        return f'{{"data": {_json_edge(self.head.columns, known)}}}'

    def end(self) -> str:
        """The end."""
        return "\n]}}\n"


def check_xml(text: str) -> None:
    """Refuse a text that XML can't hold.

    Raises:
        InputError: it has control characters.
    """
    if NOT_XML.search(text):
        raise InputError(f"{text!r} holds characters that XML can't: GraphML and GEXF can't be written")


def _escaped(text: str) -> str:
    check_xml(text)
    return escape(text, {"\r": "&#13;"})


def _quoted(text: str) -> str:
    check_xml(text)
    return quoteattr(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _known(names: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_edge(columns: Mapping[str, str], known: Sequence[str]) -> str:
    """The template of an edge; texts are quoted, numbers aren't."""
    names = (next(iter(columns)), *known)
    parts = (f'"{name}": "%s"' if columns[name] == TEXT else f'"{name}": %s' for name in names)
    return f'{{"source": "%s", "target": "%s", {", ".join(parts)}}}'
