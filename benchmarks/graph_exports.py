"""How long graph exports take and how much memory, against psql COPY of the same rows.

    python benchmarks/graph_exports.py FOLDER [--edges 5000000] [--neurons 200000] [--synapses 1000000]

FOLDER keeps the database between calls. Each export is a process of its own; memory is its largest resident size.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

FORMATS = ("graphml", "gexf", "json", "cyjs", "npz", "neo4j", "edges")
SUFFIX = {"edges": ".parquet", "npz": ".npz"}


def main() -> None:
    """Make the runs that aren't there yet, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--neurons", type=int, default=200_000)
    parser.add_argument("--synapses", type=int, default=1_000_000)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ["CONNECTOME_DATA_FOLDER"] = str(chosen.folder / "data")
    edges, synapses = f"edges-{chosen.edges}", f"synapses-{chosen.synapses}"
    if not (chosen.folder / edges).exists():
        make_edges(chosen.folder / f"{edges}.parquet", chosen.edges, chosen.neurons)
        command("import", "edges", chosen.folder / f"{edges}.parquet", "--name", edges)
        (chosen.folder / edges).touch()
    if not (chosen.folder / synapses).exists():
        make_synapses(chosen.folder / f"{synapses}.parquet", chosen.synapses, chosen.neurons)
        command("import", "synapses", chosen.folder / f"{synapses}.parquet", "--from", "connectome", "--name", synapses)
        (chosen.folder / synapses).touch()
    copied = copy_seconds(chosen.folder, edges)
    print(f"{'copy':<12} {copied:7.1f} s")
    for name in FORMATS:
        report(name, *measured(name, chosen.folder / f"out{SUFFIX.get(name, '')}", edges), copied)
    report("annotations", *measured("annotations", chosen.folder / "out", synapses), copied)


def make_edges(path: Path, count: int, neurons: int) -> None:
    """Distinct random edges; how many synapses they have falls off as in real ones."""
    random = np.random.default_rng(1)
    codes = np.unique(random.integers(0, neurons * neurons, int(count * 1.01)))[:count]
    first = 720_575_940_600_000_000
    table = {"pre": codes // neurons + first, "post": codes % neurons + first, "count": random.zipf(2.2, len(codes))}
    table["count"] = np.minimum(table["count"], 500)
    parquet.write_table(pa.table(table), path)


def make_synapses(path: Path, count: int, neurons: int) -> None:
    """Synapses at random places, their partners' points 100 nm apart."""
    random = np.random.default_rng(2)
    place = random.uniform(0, 100_000, (count, 3))
    columns = {"cleft_id": np.arange(1, count + 1)}
    columns |= {f"{side}_segment_id": random.integers(1, neurons, count) for side in ("pre", "post")}
    for prefix, shift in (("", 0.0), ("pre_", -50.0), ("post_", 50.0)):
        columns |= {f"{prefix}{axis}_nm": place[:, i] + shift for i, axis in enumerate("xyz")}
    columns |= {"size_voxels": random.integers(20, 2000, count), "confidence": random.random(count)}
    parquet.write_table(pa.table(columns), path)


def copy_seconds(folder: Path, run: str) -> float:
    """What psql COPY takes for the rows of the edges."""
    import psycopg2

    url = subprocess.check_output(["connectome", "db", "url"], text=True).strip()
    query = f"""COPY (SELECT pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence FROM edge
        WHERE run_id = (SELECT run_id FROM run WHERE name = '{run}') ORDER BY 1, 2) TO STDOUT (FORMAT csv)"""
    psql = shutil.which("psql")
    start = time.perf_counter()
    if psql:
        with (folder / "copy.csv").open("wb") as file:
            subprocess.run([psql, url, "-c", query], stdout=file, check=True)
    else:
        with psycopg2.connect(url) as connection, (folder / "copy.csv").open("wb") as file:
            connection.cursor().copy_expert(query, file)
    return time.perf_counter() - start


def measured(name: str, path: Path, run: str) -> tuple[float, float]:
    """Seconds, and MB of the process at its largest."""
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    start = time.perf_counter()
    with subprocess.Popen(["connectome", "export", name, str(path), "--run", run], stdout=sys.stderr) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"export {name} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def report(name: str, seconds: float, megabytes: float, copied: float) -> None:
    """Print a line."""
    print(f"{name:<12} {seconds:7.1f} s  {seconds / copied:5.1f} times copy  {megabytes:6.0f} MB", flush=True)


def command(*arguments: object) -> None:
    """Run this project's command line."""
    subprocess.run(["connectome", *map(str, arguments)], check=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
