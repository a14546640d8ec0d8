"""Timing the usual questions on a generated connectome: as plain SQL, and as the Python interface answers them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from database_report import Timing
from generated_connectome import GeneratedConnectome
from sqlalchemy import text

from connectome.query.connectome import Connectome
from connectome.selection import NmBox
from connectome.store.database import Database
from connectome.store.findings.edges import refresh_edges, refresh_root_edges
from connectome.store.proofreading.roots import create_roots, write_roots

QUESTIONS = 200
BOX_SYNAPSES = 1_000
NEURONS_OF_ADJACENCY = 100
HUBS = 20
MERGES = 100_000
PARTNERS_MS, BOX_MS, ADJACENCY_MS, REFRESH_MS, ROOTS_MS = 10.0, 50.0, 100.0, 90_000.0, 60_000.0
PARTNERS = """
SELECT post_segment_id, synapse_count FROM edge WHERE run_id = %(run)s AND pre_segment_id = %(neuron)s
UNION ALL SELECT pre_segment_id, synapse_count FROM edge WHERE run_id = %(run)s AND post_segment_id = %(neuron)s
"""
IN_BOX = """
SELECT s.cleft_id, s.pre_segment_id, s.post_segment_id, s.confidence, c.x_nm, c.y_nm, c.z_nm, c.size_voxels
FROM clefts_in_box(%(run)s, %(x0)s, %(y0)s, %(z0)s, %(x1)s, %(y1)s, %(z1)s) c
JOIN synapse s ON s.run_id = %(run)s AND s.cleft_id = c.cleft_id
"""
ADJACENCY = """
SELECT pre_segment_id, post_segment_id, synapse_count FROM edge
WHERE run_id = %(run)s AND pre_segment_id = ANY(%(neurons)s) AND post_segment_id = ANY(%(neurons)s)
"""


def ask(database: Database, made: GeneratedConnectome, run_id: int, *, lasting: bool) -> list[Timing]:
    """Time the questions, or what lasts: making edges anew, and edges of a version of roots."""
    if lasting:
        merges = min(MERGES, made.neurons // 2)
        return [
            _once("edge refresh", REFRESH_MS, lambda: _refresh(database, run_id)),
            _once(
                f"roots version of {merges:,} merges, visible in edges",
                ROOTS_MS,
                lambda: _merge(database, made, run_id, merges),
            ),
        ]
    generator = np.random.default_rng(3)
    neurons = generator.choice(made.segment_ids, QUESTIONS).tolist()
    lists = [generator.choice(made.segment_ids, NEURONS_OF_ADJACENCY).tolist() for _ in range(QUESTIONS)]
    side = min(1000.0 * BOX_SYNAPSES ** (1 / 3), made.side_nm)
    starts = generator.random((QUESTIONS, 3)) * (made.side_nm - side)
    boxes = [NmBox(start_nm=tuple(start.tolist()), stop_nm=tuple((start + side).tolist())) for start in starts]
    hubs = np.concatenate([_hubs(made.pre), _hubs(made.post)]).tolist()
    found = Connectome(database)
    return [
        _sql(database, "partners of a neuron", PARTNERS_MS, PARTNERS, [{"run": run_id, "neuron": n} for n in neurons]),
        _asked("partners of a neuron, in Python: with fractions and types", PARTNERS_MS, found.partners, neurons),
        _asked(f"partners of the {HUBS} largest neurons of each side, in Python", None, found.partners, hubs),
        _sql(
            database,
            f"synapses in a box of {BOX_SYNAPSES:,}",
            BOX_MS,
            IN_BOX,
            [{"run": run_id, **_corners(box)} for box in boxes],
        ),
        _asked(f"synapses in a box of {BOX_SYNAPSES:,}, in Python", BOX_MS, found.in_box, boxes),
        _sql(
            database,
            f"adjacency of {NEURONS_OF_ADJACENCY} neurons",
            ADJACENCY_MS,
            ADJACENCY,
            [{"run": run_id, "neurons": listed} for listed in lists],
        ),
        _asked(f"adjacency of {NEURONS_OF_ADJACENCY} neurons, in Python: a matrix", ADJACENCY_MS, found.matrix, lists),
    ]


def _refresh(database: Database, run_id: int) -> None:
    with database.begin() as connection:
        refresh_edges(connection, run_id)


def _merge(database: Database, made: GeneratedConnectome, run_id: int, merges: int) -> None:
    """Each of `merges` random neurons becomes part of another one."""
    shuffled = np.random.default_rng(4).permutation(made.segment_ids)
    name = f"merged {time.time():.0f}"
    with database.begin() as connection:
        data_set_id = connection.scalar(text("SELECT data_set_id FROM run WHERE run_id = :run"), {"run": run_id})
        roots_id = create_roots(connection, name, "benchmark", int(data_set_id))
        write_roots(connection, roots_id, shuffled[:merges], shuffled[merges : 2 * merges])
        refresh_root_edges(connection, run_id, roots_id)


def _hubs(segment_ids: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    ids, synapses = np.unique(segment_ids, return_counts=True)
    return np.asarray(ids[np.argsort(-synapses)[:HUBS]], np.int64)


def _corners(box: NmBox) -> dict[str, float]:
    ends = (box.start_nm, box.stop_nm)
    return {f"{axis}{end}": ends[end][i] for i, axis in enumerate("zyx") for end in (0, 1)}


def _sql(database: Database, name: str, limit_ms: float, query: str, values: list[dict[str, Any]]) -> Timing:
    """Ask once with each set of values, after a first time that doesn't count."""
    with database.begin() as connection:
        cursor: Any = connection.connection.cursor()

        def answer(value: dict[str, Any]) -> int:
            cursor.execute(query, value)
            return len(cursor.fetchall())

        return _timed(name, limit_ms, answer, values)


def _asked(name: str, limit_ms: float | None, question: Callable[[Any], Any], values: Sequence[Any]) -> Timing:
    return _timed(name, limit_ms, lambda value: question(value).num_rows, values)


def _timed(name: str, limit_ms: float | None, answer: Callable[[Any], int], values: Sequence[Any]) -> Timing:
    milliseconds, rows = [], 0
    answer(values[-1])
    for value in values:
        began = time.perf_counter()
        rows += answer(value)
        milliseconds.append(1e3 * (time.perf_counter() - began))
    print(f"{name}: {np.median(milliseconds):.2f} ms", flush=True)
    return Timing(name=name, limit_ms=limit_ms, milliseconds=milliseconds, rows=rows / len(values))


def _once(name: str, limit_ms: float, work: Callable[[], None]) -> Timing:
    began = time.perf_counter()
    work()
    milliseconds = 1e3 * (time.perf_counter() - began)
    print(f"{name}: {milliseconds / 1e3:.1f} s", flush=True)
    return Timing(name=name, limit_ms=limit_ms, milliseconds=[milliseconds], rows=0.0)
