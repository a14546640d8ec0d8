"""What the ready queries should find, added up in Python from the rows of synapses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any

Ids = Sequence[int]
COLUMNS = {
    "adjacency": "pre_id post_id synapse_count",
    "autapses": "neuron_id synapse_count",
    "degree_histogram": "direction partners neurons",
    "input_fractions": "pre_id synapse_count input_fraction",
    "input_similarity": "neuron_id other_id shared_partners",
    "neuron_totals": "neuron_id input_synapses input_partners output_synapses output_partners",
    "partners": "direction partner_id synapse_count",
    "reciprocal_pairs": "neuron_id other_id synapses_there synapses_back",
    "shared_inputs": "partner_id neurons synapse_count",
    "strong_edges": "pre_id post_id synapse_count",
    "three_hop_paths": "first_via_id second_via_id first_synapses second_synapses third_synapses",
    "two_hop_paths": "via_id first_synapses second_synapses",
    "type_matrix": "pre_type post_type synapse_count edges",
}  # what is compared of each query


class EdgesOfRows:
    """The edges of rows of synapses, some of whose segments are merged into others.

    Attributes:
        counts: synapses from neuron to neuron.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], merged: Mapping[int, int]) -> None:
        """Count the synapses."""
        sides = [
            [merged.get(row[f"{side}_segment_id"], row[f"{side}_segment_id"]) for row in rows]
            for side in ("pre", "post")
        ]
        self.counts = Counter(zip(*sides, strict=True))
        self.neurons = sorted({neuron for pair in self.counts for neuron in pair})

    def found(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The answer of a query as `expected` gives it."""
        return sorted(
            tuple(round(row[c], 9) if c == "input_fraction" else row[c] for c in COLUMNS[name].split()) for row in rows
        )

    def expected(self, name: str, neurons: Ids, end: int, types: Mapping[int, str]) -> list[tuple[Any, ...]]:
        """The answer that a query should give.

        Args:
            name: of the query.
            neurons: those that it is asked of; the first where it takes one.
            end: where paths end.
            types: of neurons.
        """
        answers: dict[str, Callable[[], list[tuple[Any, ...]]]] = {
            "adjacency": lambda: [(a, b, n) for (a, b), n in self.counts.items() if {a, b} <= set(neurons)],
            "autapses": lambda: [(a, n) for (a, b), n in self.counts.items() if a == b],
            "degree_histogram": self._degrees,
            "input_fractions": lambda: [
                (a, n, round(n / sum(self._inputs(neurons[0]).values()), 9))
                for a, n in self._inputs(neurons[0]).items()
            ],
            "input_similarity": lambda: [
                (a, b, len(common))
                for a, b in combinations(sorted(neurons), 2)
                if (common := self._inputs(a).keys() & self._inputs(b).keys())
            ],
            "neuron_totals": lambda: [
                (n, self._inputs(n).total(), len(self._inputs(n)), self._outputs(n).total(), len(self._outputs(n)))
                for n in self.neurons
            ],
            "partners": lambda: [
                *(("input", a, n) for a, n in self._inputs(neurons[0]).items()),
                *(("output", b, n) for b, n in self._outputs(neurons[0]).items()),
            ],
            "reciprocal_pairs": lambda: [
                (a, b, n, self.counts[b, a]) for (a, b), n in self.counts.items() if a < b and (b, a) in self.counts
            ],
            "shared_inputs": lambda: [row for a in self.neurons if (row := self._shared(a, neurons))[1] >= 2],
            "strong_edges": lambda: [(a, b, n) for (a, b), n in self.counts.items()],
            "three_hop_paths": lambda: self._paths(neurons[0], end, 2),
            "two_hop_paths": lambda: self._paths(neurons[0], end, 1),
            "type_matrix": lambda: self._types(types),
        }
        return sorted(answers[name]())

    def _inputs(self, neuron: int) -> Counter[int]:
        return Counter({a: n for (a, b), n in self.counts.items() if b == neuron})

    def _outputs(self, neuron: int) -> Counter[int]:
        return Counter({b: n for (a, b), n in self.counts.items() if a == neuron})

    def _degrees(self) -> list[tuple[Any, ...]]:
        degrees = Counter(
            (direction, len(partners(neuron)))
            for direction, partners in (("input", self._inputs), ("output", self._outputs))
            for neuron in self.neurons
            if partners(neuron)
        )
        return [(*key, n) for key, n in degrees.items()]

    def _shared(self, partner: int, neurons: Ids) -> tuple[int, int, int]:
        of_list = {b: n for b, n in self._outputs(partner).items() if b in neurons}
        return partner, len(of_list), sum(of_list.values())

    def _paths(self, start: int, end: int, between: int) -> list[tuple[Any, ...]]:
        found = []
        for via in permutations([n for n in self.neurons if n not in (start, end)], between):
            hops = [self.counts[pair] for pair in zip((start, *via), (*via, end), strict=True)]
            if all(hops):
                found.append((*via, *hops))
        return found

    def _types(self, types: Mapping[int, str]) -> list[tuple[Any, ...]]:
        synapses: Counter[tuple[str, str]] = Counter()
        edges: Counter[tuple[str, str]] = Counter()
        for (a, b), n in self.counts.items():
            if a in types and b in types:
                synapses[types[a], types[b]] += n
                edges[types[a], types[b]] += 1
        return [(*pair, n, edges[pair]) for pair, n in synapses.items()]
