"""One build on one and on two dask workers of one core each, and in this process.

    python benchmarks/workers.py [--shape 64,512,512]

Each builds the same phantom with the shipped models. All must find the same clefts, synapses and edges. Writes
results/workers.md.
"""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import dataclass, replace

from distributed import LocalCluster
from machine import machine_text
from paper import RESULTS, WORK, Setting, table

from connectome.geometry import triple
from connectome.pipeline.build import BuildSummary, build_volume
from connectome.pipeline.request import BuildRequest
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.server import EmbeddedServer

FOLDER = WORK.parent / "workers"
SEED = 5001
ENGINES = {"1 worker": 1, "2 workers": 2, "this process": 0}
ROWS = {
    "cleft": "cleft_id, size_voxels, x_nm, y_nm, z_nm",
    "synapse": "cleft_id, pre_segment_id, post_segment_id",
    "edge": "pre_segment_id, post_segment_id, synapse_count",
}


@dataclass(frozen=True, kw_only=True)
class Built:
    """A build: all of it, and from the first stage's beginning on."""

    summary: BuildSummary
    seconds: float
    stage_seconds: float


class FirstStage(NoProgress):
    """Notes when the first stage began."""

    def __init__(self) -> None:
        self.began: float | None = None

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Note it."""
        if name == "predict":
            self.began = time.monotonic()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="64,512,512")
    shape = triple(map(int, parser.parse_args().shape.split(",")))
    setting = Setting(work=WORK, results=RESULTS, small=False)
    phantom = setting.phantom(SEED, shape).folder
    shutil.rmtree(FOLDER, ignore_errors=True)
    request = BuildRequest(
        image=str(phantom / "raw.zarr"), segmentation=str(phantom / "neuron_ids.zarr"), data_folder=FOLDER
    )
    try:
        built = {name: build(replace(request, name=run_name(name)), count) for name, count in ENGINES.items()}
        same = same_rows(request)
    finally:
        EmbeddedServer(FOLDER / "postgres").stop()
    first = built["1 worker"].stage_seconds
    rows = [
        (name, f"{one.seconds:.1f}", f"{one.stage_seconds:.1f}", f"{first / one.stage_seconds:.2f}",
         f"{one.summary.clefts:,}", f"{one.summary.synapses:,}", f"{one.summary.edges:,}")
        for name, one in built.items()
    ]  # fmt: skip
    head = ("engine", "seconds", "of them in stages", "speed-up", "clefts", "synapses", "edges")
    setting.write("workers.md", [
        "# One and two workers",
        f"`python benchmarks/workers.py`. {machine_text()}. A phantom of {'x'.join(map(str, shape))} voxels. Each "
        "worker computes on one core, this process on all; workers open models and volumes within the stages.",
        table(head, rows),
        "Clefts (ids, sizes, centroids), synapses and edges are " + ("identical." if same else "NOT identical."),
    ])  # fmt: skip


def build(request: BuildRequest, workers: int) -> Built:
    """Build and time it, without starting the workers."""
    if workers:
        with LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None
        ) as cluster:
            return timed(replace(request, scheduler=cluster.scheduler_address))
    return timed(request)


def timed(request: BuildRequest) -> Built:
    """Build and time it."""
    began, progress = time.monotonic(), FirstStage()
    summary = build_volume(request, progress)
    ended = time.monotonic()
    return Built(summary=summary, seconds=ended - began, stage_seconds=ended - (progress.began or began))


def run_name(engine: str) -> str:
    """The run of an engine."""
    return engine.replace(" ", "-")


def same_rows(request: BuildRequest) -> bool:
    """Whether all runs hold the same rows."""
    with Database.open(None, request.data_folder) as database:
        for table_name, columns in ROWS.items():
            found = [
                database.columns(
                    f"SELECT {columns} FROM {table_name} JOIN run USING (run_id) WHERE name = :name ORDER BY 1, 2, 3",
                    {"name": run_name(name)},
                )
                for name in ENGINES
            ]
            if any((one[key] != found[0][key]).any() for one in found[1:] for key in one):
                return False
    return True


if __name__ == "__main__":
    main()
