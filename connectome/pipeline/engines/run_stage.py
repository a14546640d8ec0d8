"""Running a stage: what is left of it, again what failed, and the end where something stays failed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from connectome.errors import IncompleteRunError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.order import StageSpec
from connectome.pipeline.stages.stage import Outcome, Outcomes
from connectome.store.runs.blocks import Stage, done_blocks
from connectome.store.runs.stage_progress import record_failure, record_stage

FAILED_IN_A_ROW = 20
"""So many blocks that fail one after the other end a stage: a full disk fails them all."""
ERRORS_SHOWN = 2


class Engine(Protocol):
    """Does the blocks of a stage."""

    def run(self, context: BuildContext, spec: StageSpec, blocks: Iterable[tuple[int, int]]) -> Outcomes:
        """Try each block once; those that are done are committed when their outcome is given."""


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


def run_stage(context: BuildContext, spec: StageSpec, engine: Engine) -> None:
    """Do the blocks of a stage that aren't done yet; those that fail again, after all others.

    Raises:
        IncompleteRunError: blocks still fail after so many attempts; their errors are recorded.
        DatabaseUnavailableError: the database was away for too long.
    """
    run_id = context.run.run_id
    if context.lock is not None:
        context.insist(context.lock.hold)
    blocks = context.insist(lambda: spec.blocks(context))
    if blocks is None:
        return
    context.insist(lambda: record_stage(context.database, run_id, spec.stage, blocks.size))
    for name in spec.volumes:
        getattr(context, name)
    done = context.insist(lambda: done_blocks(context.database, run_id, spec.stage))
    already = sum(size for block_id, size in blocks.each() if block_id in done)
    context.progress.start(spec.stage.value, blocks.size.voxels, already, blocks.size.unit)
    todo: Iterable[tuple[int, int]] = (block for block in blocks.each() if block[0] not in done)
    for _ in range(context.attempts):
        failures = _attempt(context, spec, engine, todo)
        if not failures.blocks or failures.in_a_row >= FAILED_IN_A_ROW:
            break
        todo = failures.blocks
    context.progress.finish()
    if failures.blocks:
        raise IncompleteRunError(_message(context.run.name, spec.stage, blocks.size.blocks, failures))


def _attempt(context: BuildContext, spec: StageSpec, engine: Engine, todo: Iterable[tuple[int, int]]) -> _Failures:
    failures = _Failures()
    with closing(engine.run(context, spec, todo)) as outcomes:
        for outcome in outcomes:
            if outcome.error is None:
                failures.in_a_row = 0
                context.progress.advance(outcome.mark.voxels)
                continue
            failures.add(outcome)
            _record(context, spec.stage, outcome)
            if failures.in_a_row >= FAILED_IN_A_ROW:
                break
    return failures


def _record(context: BuildContext, stage: Stage, outcome: Outcome) -> None:
    error = outcome.error or ""
    context.insist(lambda: record_failure(context.database, context.run.run_id, stage, outcome.mark, error))


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
