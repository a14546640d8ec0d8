"""Every answer is compared with a plain count over the rows that were loaded."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from synapse_batches import LARGEST, example_rows

import connectome as package
from connectome.errors import (
    BoxError,
    ConfigError,
    IncompleteRunError,
    NeuronNotFoundError,
    RootsError,
    RunNotFoundError,
    SegmentIdError,
)
from connectome.query.connectome import Connectome
from connectome.selection import Filter, NmBox
from connectome.store.runs.records import RunState
from connectome.store.runs.runs import get_run, set_state

Rows = list[dict[str, Any]]
Pair = tuple[int, int]
BOX = NmBox((0.0, 0.0, 0.0), (15_000.0, 25_000.0, 20_000.0))
NEURONS = [LARGEST - n for n in range(1, 6)]
FILTERS = [
    Filter(),
    Filter(min_synapses=5),
    Filter(min_confidence=0.4),
    Filter(min_size=120, max_size=190, min_synapses=2),
    Filter(box_nm=BOX, min_confidence=0.2),
]


def chosen_rows(rows: Rows, where: Filter) -> Rows:
    def inside(row: dict[str, Any]) -> bool:
        box = where.box_nm
        return box is None or all(
            start <= row[f"{axis}_nm"] < stop
            for axis, start, stop in zip("zyx", box.start_nm, box.stop_nm, strict=True)
        )

    return [
        row
        for row in rows
        if row["confidence"] >= (where.min_confidence or 0)
        and (where.min_size or 0) <= row["size_voxels"] <= (where.max_size or math.inf)
        and inside(row)
    ]


def pairs_of(rows: Iterable[dict[str, Any]]) -> Counter[Pair]:
    return Counter((row["pre_segment_id"], row["post_segment_id"]) for row in rows)


def edges_of(rows: Rows, where: Filter) -> dict[Pair, int]:
    return {pair: n for pair, n in pairs_of(chosen_rows(rows, where)).items() if n >= where.min_synapses}


def by_pair(table: pa.Table, value: str = "synapse_count") -> dict[Pair, Any]:
    return dict(
        zip(
            zip(table["pre_id"].to_pylist(), table["post_id"].to_pylist(), strict=True),
            table[value].to_pylist(),
            strict=True,
        )
    )


@pytest.mark.parametrize("where", FILTERS)
def test_edges_and_synapses_are_those_that_the_filter_leaves(
    known: Connectome, known_rows: Rows, where: Filter
) -> None:
    expected = edges_of(known_rows, where)
    assert expected
    edges = known.edges(where=where)
    assert by_pair(edges) == expected
    sizes: Counter[Pair] = Counter()
    for row in chosen_rows(known_rows, where):
        sizes[row["pre_segment_id"], row["post_segment_id"]] += row["size_voxels"]
    assert by_pair(edges, "size_voxels") == {pair: sizes[pair] for pair in expected}
    synapses = known.synapses(where=where)
    clefts = [
        r["cleft_id"] for r in chosen_rows(known_rows, where) if (r["pre_segment_id"], r["post_segment_id"]) in expected
    ]
    assert synapses["cleft_id"].to_pylist() == sorted(clefts)


@pytest.mark.parametrize("where", FILTERS)
def test_partners_have_counts_and_fractions_of_all_that_a_neuron_gets(
    known: Connectome, known_rows: Rows, where: Filter
) -> None:
    neuron = NEURONS[0]
    kept = edges_of(known_rows, where)
    received = Counter(row["post_segment_id"] for row in known_rows)  # whatever the filter
    inputs = known.inputs(neuron, where=where).to_pylist()
    assert {row["partner_id"]: row["synapse_count"] for row in inputs} == {
        pre: n for (pre, post), n in kept.items() if post == neuron
    }
    for row in inputs:
        assert row["input_fraction"] == pytest.approx(row["synapse_count"] / received[neuron])
    counts = [row["synapse_count"] for row in inputs]
    assert counts == sorted(counts, reverse=True)
    both = known.partners([neuron], where=where)
    outputs = known.outputs(neuron, where=where)
    for row in outputs.to_pylist():
        assert row["input_fraction"] == pytest.approx(row["synapse_count"] / received[row["partner_id"]])
    assert both.num_rows == len(inputs) + outputs.num_rows
    (total,) = known.totals(neuron, where=where).to_pylist()
    assert (total["input_synapses"], total["input_partners"]) == (sum(counts), len(counts))
    assert total["output_synapses"] == sum(outputs["synapse_count"].to_pylist())


@pytest.mark.parametrize("where", FILTERS)
def test_lists_matrices_pairs_and_autapses_agree_with_the_edges(
    known: Connectome, known_rows: Rows, where: Filter
) -> None:
    expected = edges_of(known_rows, where)
    some, others = NEURONS[:2], NEURONS[2:]
    assert by_pair(known.between(some, others, where=where)) == {
        pair: n for pair, n in expected.items() if pair[0] in some and pair[1] in others
    }
    matrix = known.matrix(NEURONS, where=where)
    assert matrix.column_names == ["pre_id", *map(str, NEURONS)]
    for pre, row in zip(NEURONS, matrix.to_pylist(), strict=True):
        assert [row[str(post)] for post in NEURONS] == [expected.get((pre, post), 0) for post in NEURONS]
    autapses = known.autapses(where=where)
    assert dict(zip(autapses["neuron_id"].to_pylist(), autapses["synapse_count"].to_pylist(), strict=True)) == {
        a: n for (a, b), n in expected.items() if a == b
    }
    pairs = known.reciprocal(where=where).to_pylist()
    assert {(p["neuron_id"], p["other_id"]): (p["synapses_there"], p["synapses_back"]) for p in pairs} == {
        (a, b): (n, expected[b, a]) for (a, b), n in expected.items() if a < b and (b, a) in expected
    }
    top = known.top(3, where=where)["synapse_count"].to_pylist()
    assert top == sorted(expected.values(), reverse=True)[:3]


@pytest.mark.parametrize("where", FILTERS)
def test_shared_partners_and_their_similarity(known: Connectome, known_rows: Rows, where: Filter) -> None:
    expected = edges_of(known_rows, where)
    inputs: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for (pre, post), count in expected.items():
        inputs[post][pre] = count
    some = NEURONS[:3]
    common = {pre: sum(inputs[n][pre] for n in some) for pre in NEURONS if all(pre in inputs[n] for n in some)}
    shared = known.shared(some, where=where)
    assert dict(zip(shared["partner_id"].to_pylist(), shared["synapse_count"].to_pylist(), strict=True)) == common
    for row in known.similarity(some, where=where).to_pylist():
        a, b = (
            np.array([inputs[row[name]].get(pre, 0) for pre in NEURONS], float) for name in ("neuron_id", "other_id")
        )
        assert row["cosine_similarity"] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("where", [Filter(), Filter(min_synapses=6)])
def test_paths_are_all_simple_paths_up_to_the_hops(known: Connectome, known_rows: Rows, where: Filter) -> None:
    expected = edges_of(known_rows, where)

    def walk(path: list[int]) -> Iterable[list[int]]:
        if path[-1] == NEURONS[1]:
            yield path
        elif len(path) <= 3:
            for pre, post in expected:
                if pre == path[-1] and post not in path:
                    yield from walk([*path, post])

    found = known.paths(NEURONS[0], NEURONS[1], max_hops=3, limit=1000, where=where)
    wanted = sorted(walk([NEURONS[0]]))
    assert sorted([int(n) for n in text.split(" > ")] for text in found["neurons"].to_pylist()) == wanted
    first = found.to_pylist()[0]
    path = [int(n) for n in first["neurons"].split(" > ")]
    strengths = [expected[edge] for edge in itertools.pairwise(path)]
    assert (first["hops"], first["weakest_synapse_count"], first["synapse_count"]) == (
        min(map(len, wanted)) - 1,
        min(strengths),
        sum(strengths),
    )


def test_a_box_is_the_same_as_a_box_in_the_filter(known: Connectome, known_rows: Rows) -> None:
    found = known.in_box(str(BOX))
    assert found.equals(known.synapses(where=Filter(box_nm=BOX)))
    assert found["cleft_id"].to_pylist() == sorted(r["cleft_id"] for r in chosen_rows(known_rows, Filter(box_nm=BOX)))
    with pytest.raises(ConfigError, match="has a box already"):
        known.in_box(BOX, where=Filter(box_nm=BOX))


def test_synapses_of_neurons_are_chosen_on_either_side(known: Connectome, known_rows: Rows) -> None:
    found = known.synapses(pre=NEURONS[0], post=np.array(NEURONS[1:3]))
    assert found["cleft_id"].to_pylist() == sorted(
        r["cleft_id"] for r in known_rows if r["pre_segment_id"] == NEURONS[0] and r["post_segment_id"] in NEURONS[1:3]
    )


def test_answers_are_arrow_tables_with_exact_ids_also_without_rows(known: Connectome, known_rows: Rows) -> None:
    edges = known.edges()
    assert edges.schema.field("pre_id").type == pa.int64()
    assert edges.to_pandas()["pre_id"].max() == LARGEST - 1
    neuron = edges["pre_id"].to_pylist()[0]
    empty = known.partners(neuron, where=Filter(min_synapses=10_000))
    assert (empty.num_rows, empty.schema.field("synapse_count").type) == (0, pa.int32())
    assert known.totals(neuron, where=Filter(min_synapses=10_000)).to_pylist()[0]["input_synapses"] == 0


def test_ids_may_be_texts_and_those_that_are_nobody_are_told(known: Connectome, known_rows: Rows) -> None:
    neuron = known.edges()["pre_id"].to_pylist()[0]
    assert known.partners(str(neuron)) == known.partners(neuron) == known.partners([f" {neuron} "])
    told: list[str] = []
    asked = Connectome(known.database, tell=told.append)
    assert asked.totals([neuron, 1], where=Filter(run="known")).num_rows == 2
    assert told == ["1 is no neuron of run 'known': it has no synapse there, and no annotation"]
    with pytest.raises(NeuronNotFoundError, match="'ADAL' is neither the id nor the name of a neuron of run 'known'"):
        known.partners("ADAL")
    with pytest.raises(SegmentIdError, match="-3 is no neuron's id"):
        known.partners("-3")


def test_without_a_run_the_latest_finished_is_asked(connectome: Connectome, rows: Rows, load: Any) -> None:
    load("later", example_rows(5, seed=9))
    assert connectome.synapses().num_rows == 5
    assert connectome.synapses(where=Filter(run="known")).num_rows == len(rows)
    set_state(connectome.database, get_run(connectome.database, "later").run_id, RunState.INCOMPLETE)
    assert connectome.synapses().num_rows == len(rows)
    with pytest.raises(IncompleteRunError, match="later"):
        connectome.synapses(where=Filter(run="later"))


def test_a_database_without_a_finished_run_says_how_to_get_one(connectome: Connectome) -> None:
    with pytest.raises(RunNotFoundError, match="no run is finished yet: connectome build volume makes one"):
        connectome.edges()


def test_unknown_names_and_impossible_ids_are_told(known: Connectome) -> None:
    with pytest.raises(RunNotFoundError, match="no run named 'nix': the database has known"):
        known.edges(where=Filter(run="nix"))
    with pytest.raises(RootsError, match="no version of roots named 'v9': the database has segments"):
        known.edges(where=Filter(roots="v9"))
    with pytest.raises(SegmentIdError, match=r"2\^63 - 1"):
        known.partners(2**63)
    with pytest.raises(SegmentIdError, match="0 is no neuron's id"):
        known.totals([5, 0])


@pytest.mark.parametrize(
    "values",
    [{"min_synapses": 0}, {"min_confidence": 1.5}, {"min_confidence": math.nan}, {"min_size": 3, "max_size": 2}],
)
def test_a_filter_without_a_meaning_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        Filter(**values)


@pytest.mark.parametrize("text", ["", "1:2", "0:1,0:1,0:x", "0:1,0:1,1:1", "0:1,0:1,nan:2", "0:1,0:1,0:inf"])
def test_a_box_without_content_is_refused(text: str) -> None:
    with pytest.raises(BoxError):
        NmBox.parse(text)


def test_the_package_opens_a_connectome(database_url: str, rows: Rows) -> None:
    with package.open(database_url) as connectome:
        assert isinstance(connectome, package.Connectome)
        assert connectome.top(1, where=package.Filter(run="known")).num_rows == 1
    with pytest.raises(AttributeError, match="nothing_there"):
        _ = package.nothing_there
