"""A stage whose blocks do what a test says, in a real run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from small_world import SmallWorld

from connectome.pipeline.chosen import choose_parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.inputs import open_inputs
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.blocks import Stage
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import NewModel, NewRun, NewVolume
from connectome.store.runs.runs import create_run

GRID: dict[str, Any] = {"shape": (1, 1, 1), "resolution_nm": (30.0, 12.0, 12.0), "offset_nm": (0.0, 0.0, 0.0)}


@contextmanager
def stub_context(world: SmallWorld, database: Database, name: str = "stub", **changes: Any) -> Iterator[BuildContext]:
    """A build of the small world that has just been begun, in this process."""
    request = world.request(world.folder / "data", name=name)
    inputs = open_inputs(request.volumes, request.models, request.execution.device)
    new = NewRun(
        name=name,
        image=NewVolume(url="image", dtype="uint8", **GRID),
        segmentation=NewVolume(url="segmentation", dtype="uint64", **GRID),
        detector=NewModel(name="d", sha256=inputs.detector.sha256, method="mask"),
        assigner=None,
        parameters={},
        box=inputs.box,
        folder=world.folder / "data" / "runs" / name,
    )
    run = create_run(database, new)
    with lock_run(database, name) as lock:
        yield BuildContext(
            database=database,
            run=run,
            inputs=inputs,
            parameters=choose_parameters(request, inputs),
            progress=NoProgress(),
            lock=lock,
            **changes,
        )


def stub_stage(
    context: BuildContext, count: int, work: Callable[[int], Computed], *, network: bool = False
) -> BuildStage:
    """The stage predict with `count` blocks of 10 voxels that do `work`."""
    uses_network, computes = network, work

    class StubStage(BuildStage):
        name = Stage.PREDICT
        network = uses_network

        def blocks(self) -> Iterator[tuple[int, int]]:
            return ((block_id, 10) for block_id in range(count))

        def work(self, block_id: int) -> Computed:
            return computes(block_id)

    return StubStage(context)
