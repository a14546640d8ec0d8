"""Every query of the library runs, and those that have a counterpart among the questions agree with it."""

from __future__ import annotations

from typing import Any

import pytest
from edges_of_rows import COLUMNS, EdgesOfRows
from synapse_batches import LARGEST

from connectome.errors import QueryError, RootsError, RunNotFoundError
from connectome.query.connectome import Connectome
from connectome.query.proofreading import import_annotations, import_roots
from connectome.selection import Filter, NmBox
from connectome.store.queries.library import parse, ready_queries, ready_text
from connectome.store.queries.sql import run_sql
from connectome.tables.neuron_tables import AnnotationTable

A, B, C = LARGEST - 1, LARGEST - 2, LARGEST - 3
NAMES = [query.name for query in ready_queries()]
GIVEN = {
    "neuron": str(A),
    "neurons": f"{A},{B},{C}",
    "pre": f"{A},{B},{C}",
    "post": f"{A},{B},{C}",
    "source": str(A),
    "target": str(B),
    "cleft": str(LARGEST),
    "first": "known",
    "second": "known",
    "distance_nm": "1e5",
    "min_synapses": "1",
    **{f"start_{axis}": "0" for axis in "xyz"},
    **{f"stop_{axis}": "20000" for axis in "xyz"},
}
WITHOUT_ROWS = {"cleft_candidates", "compare_runs"}


def ask(known: Connectome, name: str, **given: str) -> list[dict[str, Any]]:
    parameters = {p.name for query in ready_queries() if query.name == name for p in query.parameters}
    values = {key: value for key, value in GIVEN.items() if key in parameters} | given
    result = run_sql(known.database, ready_text(known.database, name, values))
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@pytest.fixture(scope="module", autouse=True)
def proofread(known: Connectome, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tables")
    for name, text in {
        "roots": f"segment_id,root_id\n{B},{A}\n",
        "types": f"neuron_id,type\n{A},x\n{B},y\n{C},y\n",
        "root_types": f"neuron_id,type\n{A},x\n",
    }.items():
        (folder / f"{name}.csv").write_text(text)
    import_roots(known.database, folder / "roots.csv", "v1")
    import_annotations(known.database, AnnotationTable(path=folder / "types.csv"))
    import_annotations(known.database, AnnotationTable(path=folder / "root_types.csv"), "v1")


def test_the_library_has_what_analysts_ask() -> None:
    assert len(NAMES) >= 14
    for query in ready_queries():
        assert query.title
        assert query.sql.count(";") == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_query_runs_and_finds_rows(known: Connectome, name: str) -> None:
    given = {"cleft": "none"} if name == "synapses" else {}  # the cleft of the other queries has none
    assert bool(ask(known, name, **given)) != (name in WITHOUT_ROWS)


@pytest.mark.parametrize("roots", [None, "v1"])
@pytest.mark.parametrize("name", COLUMNS)
def test_queries_of_edges_find_what_the_synapses_of_segments_or_roots_add_up_to(
    known: Connectome, known_rows: list[dict[str, Any]], name: str, roots: str | None
) -> None:
    merged = {} if roots is None else {B: A}
    edges = EdgesOfRows(known_rows, merged)
    types = {A: "x"} if roots else {A: "x", B: "y", C: "y"}
    given = {} if roots is None else {"roots": roots}
    rows = ask(known, name, **given, **({"target": str(C)} if name.endswith("_paths") else {}))
    assert rows
    assert edges.found(name, rows) == edges.expected(name, neurons=(A, B, C), end=C, types=types)


@pytest.mark.parametrize("roots", [None, "v1"])
def test_queries_agree_with_the_questions_of_the_same_meaning(known: Connectome, roots: str | None) -> None:
    given = {} if roots is None else {"roots": roots}
    where = Filter(roots=roots)
    partners = {(r["direction"], r["partner_id"]): r["synapse_count"] for r in ask(known, "partners", **given)}
    assert partners == {
        (r["direction"], r["partner_id"]): r["synapse_count"] for r in known.partners(A, where=where).to_pylist()
    }
    fractions = {r["pre_id"]: r["input_fraction"] for r in ask(known, "input_fractions", **given)}
    for row in known.inputs(A, where=where).to_pylist():
        assert fractions[row["partner_id"]] == pytest.approx(row["input_fraction"])
    for query, table in {
        "adjacency": known.between([A, B, C], [A, B, C], where=where),
        "strong_edges": known.edges(where=where),
        "autapses": known.autapses(where=where),
        "reciprocal_pairs": known.reciprocal(where=where),
        "type_matrix": known.type_matrix(where=where),
        "shared_inputs": known.shared([A, B, C], at_least=2, where=where),
        "input_similarity": known.similarity([A, B, C], where=where),
    }.items():
        assert len(ask(known, query, **given)) == table.num_rows, query
    totals = {r["neuron_id"]: r["input_synapses"] for r in ask(known, "neuron_totals", **given)}
    assert totals[A] == known.totals(A, where=where)["input_synapses"][0].as_py()
    hops = [p for p in known.paths(A, C, max_hops=3, limit=1000, where=where).to_pylist() if p["hops"] == 3]
    assert len(ask(known, "three_hop_paths", target=str(C), **given)) == len(hops)


def test_histograms_count_every_synapse_once(known: Connectome, known_rows: list[dict[str, Any]]) -> None:
    bins = ask(known, "score_histogram", bins="4")
    assert [(b["start"], b["stop"]) for b in bins] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert [b["synapses"] for b in bins] == [
        sum(b["start"] <= row["confidence"] < b["stop"] for row in known_rows) for b in bins
    ]
    sizes = ask(known, "size_histogram")
    assert sizes == [
        {"start_voxels": 64, "stop_voxels": 128, "clefts": 28},
        {"start_voxels": 128, "stop_voxels": 256, "clefts": 92},
    ]


def test_powers_of_two_begin_a_bin_of_sizes(known: Connectome) -> None:
    sizes = [size for k in range(1, 62) for size in (2**k - 1, 2**k)]
    with known.database.engine.connect() as connection:  # rolled back at the end
        connection.exec_driver_sql(
            "CREATE TEMP TABLE cleft AS SELECT 1 AS run_id, unnest(%(sizes)s::bigint[]) AS size_voxels",
            {"sizes": sizes},
        )
        body = next(query.sql for query in ready_queries() if query.name == "size_histogram")
        found = connection.exec_driver_sql(body.replace(":run_id", "1")).all()
    assert [row[:2] for row in found] == [(2**k, 2 ** (k + 1)) for k in range(62)]
    assert [row.clefts for row in found] == [1 + (k > 0) for k in range(61)] + [1]


@pytest.mark.parametrize(
    ("name", "given", "error", "message"),
    [
        ("nix", {}, QueryError, "no ready query is named 'nix'"),
        ("partners", {}, QueryError, "needs a neuron: .*min_synapses .default 1."),
        ("partners", {"neuron": "1", "x": "1"}, QueryError, "has no parameter 'x'"),
        ("partners", {"neuron": "one"}, QueryError, "neuron=one isn't a value of type bigint"),
        ("partners", {"neuron": "1", "run": "gone"}, RunNotFoundError, "gone"),
        ("partners", {"neuron": "1", "roots": "gone"}, RootsError, "gone"),
        ("compare_runs", {"first": "known", "second": "gone"}, RunNotFoundError, "gone"),
    ],
)
def test_what_a_query_lacks_is_told(
    known: Connectome, name: str, given: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ready_text(known.database, name, given)


def test_values_are_quoted_not_pasted(known: Connectome) -> None:
    text = "'; DROP TABLE run; --"
    assert ask(known, "type_matrix", label=text) == []
    assert ask(known, "runs")


def test_a_file_with_an_unknown_type_of_parameter_is_a_bug_that_shows() -> None:
    with pytest.raises(ValueError, match="point is no type"):
        parse("x", "-- Title\n-- :a point: where\n\nSELECT :a")


def test_a_ready_query_takes_the_whole_filter(known: Connectome, known_rows: list[dict[str, Any]]) -> None:
    where = Filter(min_confidence=0.5, min_size=100, box_nm=NmBox((0, 0, 0), (10000, 20000, 20000)), pre_type="x")
    given = {"min_confidence": "0.5", "min_size": "100", "box_nm": "0:10000,0:20000,0:20000", "pre_type": "x"}
    edges = known.edges(where=where).to_pylist()
    assert 0 < len(edges) < len(known.edges().to_pylist())
    assert ask(known, "edges", **given) == edges
    with pytest.raises(QueryError, match="direction=up"):
        ready_text(known.database, "partners", {"neuron": "1", "direction": "up"})
