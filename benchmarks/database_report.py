"""What benchmarks/database.py measured, as Markdown."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from generated_connectome import SYNAPSES_A_NEURON, SYNAPSES_AN_EDGE

from connectome.store.database import Database

SETTINGS = (
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "maintenance_work_mem",
    "max_wal_size",
    "checkpoint_timeout",
    "random_page_cost",
    "jit",
    "wal_level",
    "fsync",
    "synchronous_commit",
    "max_parallel_workers_per_gather",
)


@dataclass(frozen=True, kw_only=True)
class Load:
    """A way of loading: rows of clefts with a synapse each, and the seconds they took."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a question took, each time it was asked; `rows`: of the mean answer; `limit_ms`: of the median."""

    name: str
    limit_ms: float | None
    milliseconds: list[float]
    rows: float

    @property
    def line(self) -> str:
        """A row of the table."""
        p50, p99 = np.percentile(self.milliseconds, [50, 99])
        asked = len(self.milliseconds)
        rows, late = (f"{self.rows:,.0f}", _shown(p99)) if asked > 1 else ("", "")
        limit, met = ("", "") if self.limit_ms is None else (_shown(self.limit_ms), _verdict(p50 < self.limit_ms))
        return f"| {self.name} | {asked} | {rows} | {_shown(p50)} | {late} | {limit} | {met} |"


def report(synapses: int, loads: list[Load], timings: list[Timing], server: dict[str, str], machine_words: str) -> str:
    """The report as Markdown; a load is compared with psql's own of as many rows."""
    neurons, edges = synapses // SYNAPSES_A_NEURON, synapses // SYNAPSES_AN_EDGE
    copied = {one.rows: one.seconds for one in loads if one.name.startswith("psql")}
    lines = [
        f"# The database: {synapses:,} synapses, {edges:,} edges, {neurons:,} neurons",
        "",
        f"Made by `python benchmarks/database.py`. {machine_words}. {server['version']}.",
        "Settings: " + ", ".join(f"{name} {server[name]}" for name in SETTINGS) + ".",
        "",
        "## Loading (a row: a cleft and its synapse)",
        "",
        "| how | rows | s | rows/s | against \\copy |",
        "|---|---|---|---|---|",
    ]
    for one in loads:
        against = one.seconds if one.name.startswith("psql") else copied.get(one.rows)
        share = "" if against is None else f"{100 * against / one.seconds:.0f} %"
        lines.append(f"| {one.name} | {one.rows:,} | {one.seconds:,.1f} | {one.rows / one.seconds:,.0f} | {share} |")
    lines += [
        "",
        "## Questions",
        "",
        "| what | times asked | rows | p50 | p99 | limit of p50 | met |",
        "|---|---|---|---|---|---|---|",
        *(timing.line for timing in timings),
        "",
    ]
    return "\n".join(lines)


def settings(database: Database) -> dict[str, str]:
    """The server's version and what it was told."""
    names = ", ".join(f"current_setting('{name}') AS {name}" for name in SETTINGS)
    found = database.columns(f"SELECT {names}, split_part(version(), ' on ', 1) AS version")
    return {name: str(values[0]) for name, values in found.items()}


def machine() -> str:
    """The machine in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), {memory:.0f} GB of memory"


def _verdict(met: bool) -> str:
    return "yes" if met else "no"


def _shown(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:,.1f} s" if milliseconds >= 1000 else f"{milliseconds:.1f} ms"
