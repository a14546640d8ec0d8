"""One build however it is cut and whoever does it: what it costs, and that it finds the same connectome.

    python benchmarks/workers.py [--shape 64,1024,1024]

Builds the same phantom with the shipped models in this process and on one and two dask workers of one core each, with
four shapes of blocks, and once while workers are killed. Writes results/workers.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
from distributed import LocalCluster, Status
from machine import machine_text
from paper import RESULTS, WORK, Setting, table
from speed_growth import FirstStage

from connectome.geometry import Triple, triple
from connectome.pipeline.build import BuildSummary, build_volume
from connectome.pipeline.request import BuildRequest, Execution, InputVolumes
from connectome.store.database import Database
from connectome.store.server.embedded import EmbeddedServer

FOLDER = WORK.parent / "workers"
SEED = 5001
ROWS = {
    "cleft": "cleft_id, size_voxels, x_nm, y_nm, z_nm, mean_score, max_score",
    "synapse": "cleft_id, pre_segment_id, post_segment_id, pre_score, post_score, confidence",
    "edge": "pre_segment_id, post_segment_id, synapse_count",
}
SCORE_TOLERANCE = 1e-3
KILLS_APART_S = (8.0, 12.0)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Who builds: so many workers (0: this process), in blocks of this shape (None: the usual one)."""

    workers: int = 0
    blocks: Triple | None = None
    killed: bool = False

    @property
    def name(self) -> str:
        """In words."""
        who = ("this process", "1 worker", "2 workers")[self.workers]
        return who + (", one killed every few seconds" if self.killed else "")


ENGINES = (
    Engine(workers=1),
    Engine(workers=2),
    Engine(),
    Engine(blocks=(32, 128, 192)),
    Engine(blocks=(64, 512, 512)),
    Engine(workers=2, blocks=(48, 320, 256), killed=True),
)


@dataclass(frozen=True, kw_only=True)
class Built:
    """A build: all of it, and from the first stage's beginning on."""

    summary: BuildSummary
    seconds: float
    stage_seconds: float
    kills: int


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="64,1024,1024")
    shape = triple(map(int, parser.parse_args().shape.split(",")))
    setting = Setting(work=WORK, results=RESULTS, small=False)
    phantom = setting.phantom(SEED, shape).folder
    EmbeddedServer(FOLDER / "postgres").stop()  # of a run that was killed: it would take the new one's socket with it
    shutil.rmtree(FOLDER, ignore_errors=True)
    request = BuildRequest(
        volumes=InputVolumes(image=str(phantom / "raw.zarr"), segmentation=str(phantom / "neuron_ids.zarr")),
        execution=Execution(data_folder=FOLDER),
    )
    try:
        built = [build(replace(request, name=str(number)), engine) for number, engine in enumerate(ENGINES)]
        furthest = compare(request)
    finally:
        EmbeddedServer(FOLDER / "postgres").stop()
    rows = [
        (
            engine.name,
            "x".join(map(str, engine.blocks or request.execution.block_shape)),
            one.kills or "",
            f"{one.seconds:.1f}",
            f"{one.stage_seconds:.1f}",
            f"{built[0].stage_seconds / one.stage_seconds:.2f}",
            f"{one.summary.clefts:,}",
            f"{one.summary.synapses:,}",
            f"{one.summary.edges:,}",
        )
        for engine, one in zip(ENGINES, built, strict=True)
    ]
    head = ("engine", "blocks", "killed", "seconds", "of them in stages", "speed-up", "clefts", "synapses", "edges")
    setting.write(
        "workers.md",
        [
            "# However it is cut, whoever builds it",
            f"`python benchmarks/workers.py`. {machine_text()}. A phantom of {'x'.join(map(str, shape))} voxels. Each "
            "worker computes on one core, this process on all; workers open models and volumes within the stages.",
            table(head, rows),
            "Clefts (ids, sizes, centroids), synapses (clefts, partners) and edges (partners, numbers of synapses) of "
            f"all are identical; scores differ by {furthest:.1g} at most (at most {SCORE_TOLERANCE:g} may be).",
        ],
    )


def build(request: BuildRequest, engine: Engine) -> Built:
    """Build and time it, without starting the workers."""
    if engine.blocks:
        request = replace(request, execution=replace(request.execution, block_shape=engine.blocks))
    if not engine.workers:
        return timed(request, [])
    with (
        LocalCluster(
            n_workers=engine.workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None
        ) as cluster,
        killing(cluster if engine.killed else None) as victims,
    ):
        execution = replace(request.execution, scheduler=cluster.scheduler_address)
        return timed(replace(request, execution=execution), victims)


@contextmanager
def killing(cluster: LocalCluster | None) -> Iterator[list[int]]:
    """Kill a worker, drawn at random, every few seconds (its nanny begins another one); the list of the killed."""
    victims: list[int] = []
    ended, chance = threading.Event(), random.Random(SEED)

    def kill() -> None:
        while cluster is not None and not ended.wait(chance.uniform(*KILLS_APART_S)):
            nannies = list(cluster.workers.values())
            if any(nanny.status is not Status.running for nanny in nannies):
                continue  # a nanny gives up a worker that is killed while it begins
            with suppress(ProcessLookupError):
                victim = chance.choice(nannies).pid
                os.kill(victim, signal.SIGKILL)
                victims.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield victims
    finally:
        ended.set()
        thread.join()


def timed(request: BuildRequest, victims: list[int]) -> Built:
    """Build and time it."""
    began, progress = time.monotonic(), FirstStage()
    summary = build_volume(request, progress)
    ended = time.monotonic()
    return Built(
        summary=summary, seconds=ended - began, stage_seconds=ended - (progress.began or began), kills=len(victims)
    )


def compare(request: BuildRequest) -> float:
    """The largest difference of scores between runs.

    Raises:
        AssertionError: it is too large, or runs hold other rows.
    """
    furthest = 0.0
    with Database.open(None, request.execution.data_folder) as database:
        for table_name, columns in ROWS.items():
            first, *others = (
                database.columns(
                    f"SELECT {columns} FROM {table_name} JOIN run USING (run_id) WHERE name = :name ORDER BY 1, 2, 3",
                    {"name": str(number)},
                )
                for number in range(len(ENGINES))
            )
            for one in others:
                for key, values in one.items():
                    if key.endswith("score") or key == "confidence":
                        furthest = max(furthest, float(np.abs(values - first[key]).max(initial=0)))
                    else:
                        np.testing.assert_array_equal(values, first[key], f"{table_name}.{key}")
    assert furthest <= SCORE_TOLERANCE, f"scores differ by {furthest}"
    return furthest


if __name__ == "__main__":
    main()
