"""How fast the database loads and answers: a generated connectome, psql's own copy beside it, the usual questions.

    python benchmarks/database.py                      # 20 million synapses: half an hour and 40 GB of disk
    python benchmarks/database.py --synapses 200000    # a minute

It works in a server of its own in --folder, which is made and removed, or in an empty database at --database-url.
The results go to --output.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from database_report import Report, Timing, machine, settings
from generated_connectome import GeneratedConnectome, generate

from connectome.geometry import Box
from connectome.store.blocks import Stage, block_transaction
from connectome.store.copying import copy_columns
from connectome.store.database import Database
from connectome.store.edges import refresh_edges, refresh_root_edges
from connectome.store.imports import import_run
from connectome.store.postgres import binaries
from connectome.store.roots import create_roots, write_roots
from connectome.store.run_records import NewImport, NewModel, NewRun, NewVolume
from connectome.store.runs import create_run, delete_run
from connectome.store.server import EmbeddedServer

ROWS_A_CHUNK = 500_000
ROWS_A_BLOCK = 20_000
QUESTIONS = 200
BOX_SYNAPSES = 1_000
NEURONS_OF_ADJACENCY = 100
MERGES = 100_000
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


@dataclass
class Stopwatch:
    """Seconds of named parts."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time inside to a part."""
        began = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began
        print(f"{name}: {self.seconds[name]:.1f} s", flush=True)


def main() -> None:
    """Run all parts and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synapses", type=int, default=20_000_000)
    parser.add_argument("--block-synapses", type=int, default=1_000_000, help="rows of the comparison block by block")
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    parser.add_argument("--database-url")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "database.md")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    try:
        with Database.open(arguments.database_url, arguments.folder, create=True) as database:
            report = measure(database, arguments)
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(report.to_markdown())
    finally:
        EmbeddedServer(arguments.folder / "postgres").stop()
        shutil.rmtree(arguments.folder)
    print(arguments.output.read_text())


def measure(database: Database, arguments: argparse.Namespace) -> Report:
    """Generate, load, ask; the connectome is loaded alone while it is asked."""
    watch = Stopwatch()
    with watch.part("generate"):
        made = generate(arguments.synapses)
    loads: list[tuple[str, int, float]] = []
    run_id = load(database, made, watch)
    loads.append(("import (one transaction, indexes at the end, with edges)", len(made), watch.seconds["import"]))
    timings = ask(database, made, run_id, watch)
    loads.append(("psql \\copy of the same rows", len(made), copy_with_psql(database, run_id, arguments.folder, watch)))
    delete_run(database, run_id)
    part = generate(min(arguments.block_synapses, arguments.synapses), seed=2)
    loads.append(
        (f"build ({ROWS_A_BLOCK:,} rows a block and transaction)", len(part), load_blocks(database, part, watch))
    )
    with import_run(database, NewImport(name="part", parameters={})) as loading:
        for clefts, synapses in part.chunks(ROWS_A_CHUNK):
            loading.write("cleft", clefts)
            loading.write("synapse", synapses)
    seconds = copy_with_psql(database, loading.run_id, arguments.folder, watch)
    loads.append(("psql \\copy of the same rows", len(part), seconds))
    return Report(
        title=f"{len(made):,} synapses, {made.edges:,} edges, {made.neurons:,} neurons", loads=loads, timings=timings,
        settings=settings(database), machine=machine(), seconds=watch.seconds,
    )  # fmt: skip


def load(database: Database, made: GeneratedConnectome, watch: Stopwatch) -> int:
    """Load the connectome as an import; returns its run."""
    with watch.part("import"), import_run(database, NewImport(name="generated", parameters={"seed": 1})) as loading:
        for clefts, synapses in made.chunks(ROWS_A_CHUNK):
            with_run = {"run_id": np.int64(loading.run_id)}
            loading.write("cleft", {**clefts, **with_run})
            loading.write("synapse", {**synapses, **with_run})
        print(f"rows copied; indexes, keys and edges follow ({loading.run_id})", flush=True)
    return loading.run_id


def load_blocks(database: Database, made: GeneratedConnectome, watch: Stopwatch) -> float:
    """Load rows as a build does: into indexed tables, a transaction a block; returns the seconds."""
    run_id = _empty_run(database, "blocks")
    with watch.part("blocks"):
        for block_id, (clefts, synapses) in enumerate(made.chunks(ROWS_A_BLOCK)):
            with block_transaction(database, run_id, Stage.ASSIGN, block_id, voxels=1) as block:
                copy_columns(block.connection, "cleft", {**clefts, "run_id": run_id})
                copy_columns(block.connection, "synapse", {**synapses, "run_id": run_id})
    delete_run(database, run_id)
    return watch.seconds["blocks"]


def copy_with_psql(database: Database, run_id: int, folder: Path, watch: Stopwatch) -> float:
    """Load the rows of a run into another run's indexed tables by psql's own copy; returns the seconds."""
    target = _empty_run(database, f"copied-{run_id}")
    seconds = 0.0
    for table in ("cleft", "synapse"):
        file = folder.absolute() / f"{table}.txt"
        names = database.columns(
            f"SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = '{table}' "
            "ORDER BY ordinal_position"
        )["name"]
        others = ", ".join(name for name in names if name != "run_id")
        _psql(database, f"\\copy (SELECT {target}, {others} FROM {table}_{run_id}) TO '{file}'")
        began = time.monotonic()
        with watch.part(f"\\copy {table} ({run_id})"):
            _psql(database, f"\\copy {table}_{target} (run_id, {others}) FROM '{file}'")
        seconds += time.monotonic() - began
        file.unlink()
    delete_run(database, target)
    return seconds


def ask(database: Database, made: GeneratedConnectome, run_id: int, watch: Stopwatch) -> list[Timing]:
    """Time the usual questions."""
    generator = np.random.default_rng(3)
    neurons = generator.choice(made.segment_ids, QUESTIONS)
    side = min(1000.0 * BOX_SYNAPSES ** (1 / 3), made.side_nm)
    corners = generator.random((QUESTIONS, 3)) * (made.side_nm - side)
    lists = [generator.choice(made.segment_ids, NEURONS_OF_ADJACENCY).tolist() for _ in range(QUESTIONS)]
    boxes = [
        {f"{axis}{end}": float(corner[i]) + end * side for i, axis in enumerate("zyx") for end in (0, 1)}
        for corner in corners
    ]
    merges = min(MERGES, made.neurons // 2)
    return [
        _timed(database, "partners of a neuron", 10.0, PARTNERS, [{"run": run_id, "neuron": int(n)} for n in neurons]),
        _timed(database, f"synapses in a box of {BOX_SYNAPSES:,}", 50.0, IN_BOX, [{"run": run_id, **b} for b in boxes]),
        _timed(database, f"adjacency of {NEURONS_OF_ADJACENCY} neurons", 100.0, ADJACENCY,
               [{"run": run_id, "neurons": listed} for listed in lists]),
        _once(watch, "edge refresh", 90_000.0, lambda: _refresh(database, run_id)),
        _once(watch, f"roots version of {merges:,} merges, visible in edges", 60_000.0,
              lambda: _merge(database, made, run_id, merges)),
    ]  # fmt: skip


def _refresh(database: Database, run_id: int) -> None:
    with database.begin() as connection:
        refresh_edges(connection, run_id)


def _merge(database: Database, made: GeneratedConnectome, run_id: int, merges: int) -> None:
    shuffled = np.random.default_rng(4).permutation(made.segment_ids)
    with database.begin() as connection:
        roots_id = create_roots(connection, "merged", "benchmark")
        write_roots(connection, roots_id, shuffled[:merges], shuffled[merges : 2 * merges])
        refresh_root_edges(connection, run_id, roots_id)


def _timed(database: Database, name: str, limit_ms: float, query: str, values: list[dict[str, Any]]) -> Timing:
    """Ask once with each set of values, after a first time that doesn't count."""
    milliseconds, rows = [], 0
    with database.begin() as connection:
        cursor: Any = connection.connection.cursor()
        cursor.execute(query, values[-1])
        for value in values:
            began = time.perf_counter()
            cursor.execute(query, value)
            rows += len(cursor.fetchall())
            milliseconds.append(1e3 * (time.perf_counter() - began))
    print(f"{name}: {np.median(milliseconds):.2f} ms", flush=True)
    return Timing(name=name, limit_ms=limit_ms, milliseconds=milliseconds, rows=rows / len(values))


def _once(watch: Stopwatch, name: str, limit_ms: float, work: Callable[[], None]) -> Timing:
    with watch.part(name):
        work()
    return Timing(name=name, limit_ms=limit_ms, milliseconds=[1e3 * watch.seconds[name]], rows=0.0)


def _empty_run(database: Database, name: str) -> int:
    one, zero = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    volume = NewVolume(url="/", dtype="uint8", shape=(1, 1, 1), resolution_nm=one, offset_nm=zero)
    new = NewRun(
        name=name, image=volume, segmentation=volume, detector=NewModel(name="d", sha256="0", method="mask"),
        assigner=None, parameters={}, box=Box.of_shape((1, 1, 1)), folder=Path("/"),
    )  # fmt: skip
    return create_run(database, new).run_id


def _psql(database: Database, command: str) -> None:
    program = shutil.which("psql") or str(binaries() / "psql")
    subprocess.run([program, database.url, "-qX", "-v", "ON_ERROR_STOP=1", "-c", command], check=True)


if __name__ == "__main__":
    main()
