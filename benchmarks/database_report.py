"""What benchmarks/database.py measured, as Markdown."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from connectome.store.database import Database

SETTINGS = ("shared_buffers", "work_mem", "maintenance_work_mem", "max_wal_size", "wal_level", "fsync",
            "synchronous_commit", "max_parallel_workers_per_gather")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a question took, each time it was asked; `rows`: of the mean answer."""

    name: str
    limit_ms: float
    milliseconds: list[float]
    rows: float

    @property
    def line(self) -> str:
        """A row of the table."""
        p50, p99 = np.percentile(self.milliseconds, [50, 99])
        verdict = "yes" if p50 < self.limit_ms else "no"
        asked = len(self.milliseconds)
        rows, late = (f"{self.rows:,.0f}", _shown(p99)) if asked > 1 else ("", "")
        return f"| {self.name} | {asked} | {rows} | {_shown(p50)} | {late} | {_shown(self.limit_ms)} | {verdict} |"


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was measured; loads are (how, rows, seconds)."""

    title: str
    loads: list[tuple[str, int, float]]
    timings: list[Timing]
    settings: dict[str, str]
    machine: str
    seconds: dict[str, float]

    def to_markdown(self) -> str:
        """The report."""
        loads = [
            f"| {how} | {rows:,} | {seconds:,.1f} | {rows / seconds:,.0f} | {self._share(i)} |"
            for i, (how, rows, seconds) in enumerate(self.loads)
        ]
        return "\n".join(
            [
                f"# The database: {self.title}",
                "",
                f"Made by `python benchmarks/database.py`. {self.machine}. {self.settings['version']}.",
                "Settings: " + ", ".join(f"{name} {self.settings[name]}" for name in SETTINGS) + ".",
                "",
                "## Loading (a row: a cleft and its synapse)",
                "",
                "| how | rows | s | rows/s | against \\copy |",
                "|---|---|---|---|---|",
                *loads,
                "",
                "## Questions",
                "",
                "| what | times asked | rows | p50 | p99 | limit | met |",
                "|---|---|---|---|---|---|---|",
                *(timing.line for timing in self.timings),
                "",
            ]
        )

    def _share(self, place: int) -> str:
        """The rate beside that of psql's own copy of the same rows, which follows."""
        if place % 2 == 1:
            return "100 %"
        return f"{100 * self.loads[place + 1][2] / self.loads[place][2]:.0f} %"


def settings(database: Database) -> dict[str, str]:
    """The server's version and what it was told."""
    names = ", ".join(f"current_setting('{name}') AS {name}" for name in SETTINGS)
    found = database.columns(f"SELECT {names}, split_part(version(), ' on ', 1) AS version")
    return {name: str(values[0]) for name, values in found.items()}


def machine() -> str:
    """The machine in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    models = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]  # fmt: skip
    return f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), {memory:.0f} GB of memory"


def _shown(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:,.1f} s" if milliseconds >= 1000 else f"{milliseconds:.1f} ms"
