"""Running a stage on an engine: what is left of it, again what failed, and the end where something stays failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Protocol

from connectome.errors import ClusterError, IncompleteRunError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.attempt import Outcome, Outcomes
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.request import BuildRequest, Execution
from connectome.pipeline.stages.stage import BuildStage
from connectome.store.runs.blocks import Stage, done_blocks, record_failure, record_stage

FAILED_IN_A_ROW = 20
"""So many blocks that fail one after the other end a stage: a full disk fails them all."""
ERRORS_SHOWN = 2


class Engine(Protocol):
    """Does the blocks of a stage."""

    def run(self, stage: BuildStage, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once; those that are done are committed when their outcome is given."""


def check_engine(execution: Execution) -> None:
    """Refuse what can't be done here, before anything else is.

    Raises:
        ClusterError: dask is asked for and isn't installed.
    """
    if _wants_cluster(execution) and find_spec("distributed") is None:
        raise ClusterError("other processes need dask, which isn't here: pip install 'connectome-em[cluster]'")


@contextmanager
def open_engine(context: BuildContext, request: BuildRequest) -> Iterator[Engine]:
    """The engine of a build: this process's threads, or the workers of a cluster.

    Raises:
        ClusterError: no scheduler is there, or it is gone.
    """
    if not _wants_cluster(request.execution):
        yield ThreadEngine()
        return
    from connectome.pipeline.engines.cluster import cluster_engine

    with cluster_engine(context, request) as engine:
        yield engine


@dataclass(kw_only=True)
class _Failures:
    """The blocks of a stage that failed in the attempt under way."""

    blocks: list[tuple[int, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    in_a_row: int = 0

    def add(self, outcome: Outcome) -> None:
        """Note a failed block."""
        self.blocks.append((outcome.mark.block_id, outcome.mark.voxels))
        self.in_a_row += 1
        if len(self.errors) < ERRORS_SHOWN:
            self.errors.append(f"block {outcome.mark.block_id}: {outcome.error}")


def run_stage(stage: BuildStage, engine: Engine) -> None:
    """Do the blocks of a stage that aren't done yet; those that fail again, after all others.

    Raises:
        IncompleteRunError: blocks still fail after so many attempts; their errors are recorded.
        DatabaseUnavailableError: the database was away for too long.
    """
    context, run_id = stage.context, stage.context.run.run_id
    if context.lock is not None:
        context.retried(context.lock.hold)
    if not stage.is_wanted:
        return
    blocks, units = context.retried(lambda: _size(stage))
    context.retried(
        lambda: record_stage(context.database, run_id, stage.name, blocks=blocks, voxels=units, unit=stage.unit)
    )
    for name in stage.volumes:
        getattr(context, name)
    done = context.retried(lambda: done_blocks(context.database, run_id, stage.name))
    already = sum(size for block_id, size in stage.blocks() if block_id in done)
    context.progress.start(stage.name.value, units, already, stage.unit)
    todo: Iterable[tuple[int, int]] = (block for block in stage.blocks() if block[0] not in done)
    for _ in range(context.attempts):
        failures = _attempt(stage, engine, todo)
        if not failures.blocks or failures.in_a_row >= FAILED_IN_A_ROW:
            break
        todo = failures.blocks
    context.progress.finish()
    if failures.blocks:
        raise IncompleteRunError(_message(context.run.name, stage.name, blocks, failures))


def _size(stage: BuildStage) -> tuple[int, int]:
    """The number of its blocks, and what they add up to in its unit."""
    blocks = units = 0
    for _, size in stage.blocks():
        blocks += 1
        units += size
    return blocks, units


def _attempt(stage: BuildStage, engine: Engine, todo: Iterable[tuple[int, int]]) -> _Failures:
    context, failures = stage.context, _Failures()
    with closing(engine.run(stage, todo)) as outcomes:
        for outcome in outcomes:
            if outcome.error is None:
                failures.in_a_row = 0
                context.progress.advance(outcome.mark.voxels)
                continue
            failures.add(outcome)
            _record(context, stage.name, outcome)
            if failures.in_a_row >= FAILED_IN_A_ROW:
                break
    return failures


def _record(context: BuildContext, stage: Stage, outcome: Outcome) -> None:
    error = outcome.error or ""
    context.retried(lambda: record_failure(context.database, context.run.run_id, stage, outcome.mark, error))


def _message(run: str, stage: Stage, blocks: int, failures: _Failures) -> str:
    failed = len(failures.blocks)
    ended = f"; {failures.in_a_row} failed in a row, so the rest wasn't tried" if _gave_up(failures) else ""
    errors = "; ".join(failures.errors) + ("; ..." if failed > len(failures.errors) else "")
    return (
        f"run '{run}' is incomplete: {failed:,} of {blocks:,} blocks of stage {stage.value} failed{ended} ({errors}). "
        f"connectome runs show {run} lists them; the same build command tries them again"
    )


def _gave_up(failures: _Failures) -> bool:
    return failures.in_a_row >= FAILED_IN_A_ROW


def _wants_cluster(execution: Execution) -> bool:
    return execution.workers is not None or execution.scheduler is not None
