"""How many blocks a second the machinery moves where a block is nothing but its row, and what memory that takes.

    python benchmarks/machinery.py [--blocks 100000] [--cluster-blocks 10000]

The run, its database and its engine are real; the stage's work does nothing. Once in this process, once on two local
dask workers. Writes results/machinery.md.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from machine import machine_text
from paper import RESULTS, WORK, Setting, table

from connectome.pipeline.chosen import choose_parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.run_stage import open_engine, run_stage
from connectome.pipeline.inputs import open_inputs
from connectome.pipeline.request import BuildRequest, Execution, InputVolumes
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.blocks import Stage, stage_totals
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import NewModel, NewRun, NewVolume
from connectome.store.runs.runs import create_run
from connectome.store.server.embedded import EmbeddedServer
from connectome.volumes.volume import Volume

FOLDER = WORK.parent / "machinery"
SHAPE = (32, 128, 128)
RESOLUTION_NM = (30.0, 12.0, 12.0)
WANTED_RATE, WANTED_BYTES = 200, 10**9


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one run of the stage took; the peak is that of the leading process since it began."""

    engine: str
    blocks: int
    seconds: float
    peak_bytes: int

    @property
    def row(self) -> tuple[str, ...]:
        """A row of the table."""
        rate = self.blocks / self.seconds
        return (
            self.engine,
            f"{self.blocks:,}",
            f"{self.seconds:.1f}",
            f"{rate:,.0f}",
            f"{self.peak_bytes / 1e6:,.0f} MB",
        )


class NothingStage(BuildStage):
    """Blocks of one voxel, whose work is none."""

    name = Stage.PREDICT

    def __init__(self, context: BuildContext, count: int = 0) -> None:
        """So many blocks; a worker needn't know how many."""
        super().__init__(context)
        self._count = count

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The blocks."""
        return ((block_id, 1) for block_id in range(self._count))

    def work(self, block_id: int) -> Computed:
        """Nothing."""
        return Computed()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=100_000)
    parser.add_argument("--cluster-blocks", type=int, default=10_000)
    asked = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    request = write_world()
    in_processes = replace(request, name="workers", execution=replace(request.execution, workers=2))
    try:
        found = [
            measure("this process", replace(request, name="threads"), asked.blocks),
            measure("2 dask workers", in_processes, asked.cluster_blocks),
        ]
    finally:
        EmbeddedServer(request.execution.data_folder / "postgres").stop()
    head = ("engine", "blocks", "seconds", "blocks/s", "peak memory of the leading process")
    Setting(work=WORK, results=RESULTS, small=False).write(
        "machinery.md",
        [
            "# Blocks that do nothing",
            f"`python benchmarks/machinery.py`. {machine_text()}. Wanted: at least {WANTED_RATE} blocks/s and less "
            f"than {WANTED_BYTES / 1e6:,.0f} MB at 100,000 blocks. Each block is a row that is committed (fsync on); "
            "the peak holds PyTorch and both shipped models.",
            table(head, [measured.row for measured in found]),
        ],
    )


def write_world() -> BuildRequest:
    """Volumes of noise, and a build of them."""
    noise = np.random.default_rng(0).integers(0, 256, SHAPE)
    for name, dtype in (("raw", np.uint8), ("neuron_ids", np.uint64)):
        volume = Volume.create(FOLDER / f"{name}.zarr", shape=SHAPE, dtype=dtype, resolution_nm=RESOLUTION_NM)
        volume.write(volume.box, noise.astype(dtype))
    return BuildRequest(
        volumes=InputVolumes(image=str(FOLDER / "raw.zarr"), segmentation=str(FOLDER / "neuron_ids.zarr")),
        execution=Execution(data_folder=FOLDER / "data"),
    )


def measure(engine: str, request: BuildRequest, count: int) -> Measured:
    """Run a stage of blocks that do nothing."""
    with begun(request) as context, open_engine(context, request) as chosen:
        began = time.monotonic()
        run_stage(NothingStage(context, count), chosen)
        seconds = time.monotonic() - began
        done = stage_totals(context.database, context.run.run_id)[Stage.PREDICT].blocks
    if done != count:
        raise SystemExit(f"{done} of {count} blocks were done")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(engine=engine, blocks=count, seconds=seconds, peak_bytes=peak)


@contextmanager
def begun(request: BuildRequest) -> Iterator[BuildContext]:
    """A run that has just been begun."""
    inputs = open_inputs(request.volumes, request.models, request.execution.device)
    place = Path(request.execution.data_folder / "runs" / request.name).absolute()
    grid = inputs.image.volume.grid
    volume = NewVolume(
        url=request.volumes.image,
        dtype="uint8",
        shape=grid.shape,
        resolution_nm=grid.resolution_nm,
        offset_nm=grid.offset_nm,
    )
    assert inputs.assigner.checkpoint is not None
    new = NewRun(
        name=request.name,
        image=volume,
        segmentation=volume,
        parameters={},
        box=inputs.box,
        folder=place,
        detector=NewModel(name="detector", sha256=inputs.detector.sha256, method="mask"),
        assigner=NewModel(name="assigner", sha256=inputs.assigner.checkpoint.sha256, method="avan"),
    )
    folder = request.execution.data_folder
    with Database.open(None, folder, create=True) as database, lock_run(database, request.name) as lock:
        yield BuildContext(
            database=database,
            run=create_run(database, new),
            inputs=inputs,
            progress=NoProgress(),
            lock=lock,
            parameters=choose_parameters(request, inputs),
        )


if __name__ == "__main__":
    main()
