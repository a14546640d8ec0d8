"""Progress on stderr."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from connectome.cli.output.progress import RichProgress
from connectome.records import Progress


def on(terminal: bool) -> tuple[RichProgress, io.StringIO]:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=100, highlight=False)
    return RichProgress(console), output


def test_where_stderr_is_no_terminal_each_finished_stage_is_one_plain_line() -> None:
    shown, output = on(terminal=False)
    progress: Progress = shown
    progress.start("clefts", 4_000_000)
    progress.advance(1_000_000)
    progress.advance(3_000_000)
    assert output.getvalue() == ""
    progress.finish()
    assert re.fullmatch(r"clefts: 4 Mvoxel in [\d.]+ s, [\d.e+]+[\d,]* Mvoxel/s\n", output.getvalue())


def test_a_resumed_stage_counts_only_the_new_work_in_its_rate() -> None:
    progress, output = on(terminal=False)
    progress.start("partners", 10, done=6, unit="clefts")
    progress.advance(4)
    progress.finish()
    assert output.getvalue().startswith("partners: 4 clefts in ")
    assert output.getvalue().endswith("(6 clefts were done before)\n")


def test_a_stage_that_was_finished_before_says_so() -> None:
    progress, output = on(terminal=False)
    progress.start("partners", 10, done=10, unit="clefts")
    progress.finish()
    assert output.getvalue() == "partners: nothing left to do (10 clefts were done before)\n"


def test_a_terminal_sees_a_bar_with_percentage_and_then_the_line() -> None:
    progress, output = on(terminal=True)
    with progress:
        progress.start("clefts", 100, unit="blocks")
        progress.advance(50)
        progress.finish()
    assert "50%" in output.getvalue()
    assert "clefts: 50 blocks in " in output.getvalue()


def test_a_terminal_sees_notes_beside_the_bar_and_lines_above_it() -> None:
    progress, output = on(terminal=True)
    with progress:
        progress.start("train", 100, unit="steps")
        progress.note("loss 0.25")
        progress.advance(50)
        progress.say("step 50: object_f1 0.8")
        progress.finish()
    assert "loss 0.25" in output.getvalue()
    assert "step 50: object_f1 0.8\n" in output.getvalue()


def test_where_stderr_is_no_terminal_lines_are_printed_and_notes_are_not() -> None:
    progress, output = on(terminal=False)
    progress.start("train", 100, unit="steps")
    progress.note("loss 0.25")
    progress.say("step 50: [object_f1] 0.8")
    assert output.getvalue() == "step 50: [object_f1] 0.8\n"


def test_an_error_in_a_stage_leaves_the_cursor_visible() -> None:
    progress, output = on(terminal=True)
    hide, show = "\x1b[?25l", "\x1b[?25h"
    with pytest.raises(RuntimeError), progress:
        progress.start("clefts", 100)
        raise RuntimeError("out of luck")
    assert output.getvalue().rfind(show) > output.getvalue().rfind(hide) >= 0
