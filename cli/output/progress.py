"""Progress on stderr: a bar with rate and time left on a terminal, and one plain line for each finished stage."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TaskProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn
from rich.text import Text


@dataclass(kw_only=True)
class _Stage:
    """The stage that runs now."""

    name: str
    unit: str
    already: int
    done: int
    started_s: float


class RateColumn(ProgressColumn):
    """Units a second of the bar's stage."""

    def render(self, task: Task) -> Text:
        """The rate over the last seconds, empty until it is known."""
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else f"{amount_text(rate, task.fields['unit'])}/s")


class RichProgress:
    """`connectome.records.Progress` on stderr.

    Use it as a context manager, so that an error or Ctrl-C in a stage leaves the terminal as it was. Stages follow one
    another; the bar goes when its stage ends and a line with the amount, the time and the rate stays. Where stderr is
    no terminal only those lines are printed.
    """

    def __init__(self, console: Console | None = None) -> None:
        """Show progress on `console` (default: this process's stderr)."""
        self._console = console or Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage: _Stage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_bar()

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Begin a stage of `total` units, `done` of them already finished."""
        self._stop_bar()
        self._stage = _Stage(name=name, unit=unit, already=done, done=done, started_s=time.monotonic())
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TaskProgressColumn(),
                RateColumn(),
                TimeLeftColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(name, total=total, completed=done, unit=unit, note="")
            self._bar.start()

    def advance(self, amount: int) -> None:
        """Report `amount` more units of the stage."""
        if self._stage is None:
            return
        self._stage.done += amount
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, amount)

    def note(self, text: str) -> None:
        """Show `text` beside the bar; where there is no bar, nothing."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, note=text)

    def say(self, text: str) -> None:
        """Print a line, above the bar where there is one."""
        self._console.print(text, markup=False, soft_wrap=True)

    def finish(self) -> None:
        """End the stage and print its line."""
        self._stop_bar()
        if self._stage is not None:
            self._console.print(_summary(self._stage, time.monotonic()), markup=False, soft_wrap=True)
        self._stage = None

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None
        self._task = None


def _summary(stage: _Stage, now_s: float) -> str:
    """What a finished stage did, in one line."""
    fresh = stage.done - stage.already
    seconds = max(now_s - stage.started_s, 1e-3)
    kept = f" ({amount_text(stage.already, stage.unit)} were done before)" if stage.already else ""
    if fresh == 0 and stage.already:
        return f"{stage.name}: nothing left to do{kept}"
    rate = amount_text(fresh / seconds, stage.unit)
    return f"{stage.name}: {amount_text(fresh, stage.unit)} in {_duration_text(seconds)}, {rate}/s{kept}"


def amount_text(amount: float, unit: str) -> str:
    """An amount for people: voxels as Mvoxel, anything else with as many digits as it needs."""
    if unit == "voxels":
        return f"{amount / 1e6:.3g} Mvoxel" if amount < 1e9 else f"{amount / 1e6:,.0f} Mvoxel"
    return f"{amount:,.0f} {unit}" if amount >= 100 or amount == int(amount) else f"{amount:.3g} {unit}"


def _duration_text(seconds: float) -> str:
    """Seconds, or minutes and seconds, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
