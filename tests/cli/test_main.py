"""How the command line answers, fails and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from connectome import __version__
from connectome.cli.main import CommandLine, app
from connectome.errors import DatabaseError, InputError

HEAVY = {"torch", "tensorstore", "sqlalchemy", "pyarrow"}
QUERIES = (
    "partners",
    "totals",
    "between",
    "synapses",
    "box",
    "path",
    "top",
    "edges",
    "matrix",
    "shared",
    "similarity",
    "reciprocal",
    "autapses",
)
COMMANDS = {
    ("volume", "import", "cremi"),
    ("volume", "import", "stack"),
    ("volume", "info"),
    ("volume", "phantom"),
    ("build", "volume"),
    ("build", "graph"),
    ("models", "list"),
    ("models", "show"),
    ("models", "verify"),
    ("train", "detector"),
    ("train", "assigner"),
    ("evaluate", "edges"),
    ("evaluate", "assignment"),
    ("import", "synapses"),
    ("roots", "import"),
    ("roots", "from-volume"),
    ("roots", "list"),
    ("annotate", "import"),
    *(("query", name) for name in QUERIES),
    ("export", "graphml"),
    ("export", "synapses"),
    ("export", "edges"),
    ("db", "url"),
    ("db", "upgrade"),
    ("db", "status"),
    ("db", "stop"),
    ("sql",),
    ("demo",),
}
IMPORTS_OF = """
import sys
from connectome.cli.main import main
sys.argv = ["connectome", *sys.argv[1:]]
try:
    main()
finally:
    print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""
APP_THAT = """
import signal, typer
from connectome.cli.main import CommandLine
app = typer.Typer(cls=CommandLine, pretty_exceptions_enable=False)
@app.callback()
def root() -> None: ...
@app.command()
def run() -> None:
    {action}
app()
"""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path
    for name, child in children.items():
        yield from leaves(child, (*path, name))


ALL_LEAVES = sorted(leaves(typer.main.get_command(app)))


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "--help"], ["build", "volume", "--help"]])
def test_help_and_version_import_no_heavy_library(arguments: list[str]) -> None:
    done = run_python(IMPORTS_OF, *arguments)
    assert done.returncode == 0, done.stderr
    imported = set(done.stderr.split())
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"connectome {__version__}\n"


def test_every_documented_command_is_there() -> None:
    assert set(ALL_LEAVES) >= COMMANDS


@pytest.mark.parametrize("path", ALL_LEAVES, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_answers_help(path: tuple[str, ...], flag: str) -> None:
    result = CliRunner().invoke(app, [*path, flag])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize("path", [(), *ALL_LEAVES], ids=" ".join)
def test_an_unknown_flag_ends_with_code_2(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--no-such-flag"])
    assert result.exit_code == 2
    assert "--no-such-flag" in result.stderr
    assert result.stdout == ""


def test_an_error_of_ours_is_one_line_on_stderr_and_its_exit_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["volume", "info", str(tmp_path / "nothing.zarr")])
    assert result.exit_code == InputError.exit_code
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "nothing.zarr" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_error_message_of_several_lines_is_told_in_one() -> None:
    small = typer.Typer(cls=CommandLine)

    @small.callback()
    def root() -> None:
        pass

    @small.command()
    def fail() -> None:
        raise DatabaseError("refused:\n  no such table\n")

    result = CliRunner().invoke(small, ["fail"])
    assert (result.exit_code, result.stdout) == (DatabaseError.exit_code, "")
    assert result.stderr == "error: refused: no such table\n"


def test_ctrl_c_ends_with_code_130_and_says_how_to_go_on() -> None:
    # a shell that starts this in the background has it ignore SIGINT: the handler is put back first
    interrupt = "signal.signal(signal.SIGINT, signal.default_int_handler); signal.raise_signal(signal.SIGINT)"
    done = run_python(APP_THAT.format(action=interrupt), "run")
    assert done.returncode == 130
    assert "resumes" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bug_keeps_its_traceback() -> None:
    done = run_python(APP_THAT.format(action="{}['missing']"), "run")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "KeyError: 'missing'"


def test_a_reader_that_stops_early_is_no_error_worth_a_traceback() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "connectome.cli", "--help"]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert done.stderr == ""


def test_arguments_that_are_not_utf8_and_names_that_are_too_long_are_refused_in_one_line(tmp_path: Path) -> None:
    for words, code in (([b"runs", b"show", b"\xff\xfe"], 2), ([b"volume", b"info", b"x" * 300], 3)):
        command = [sys.executable, "-m", "connectome.cli", *words]
        done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == code, done.stderr
        assert len(done.stderr.splitlines()) == 1 and b"Traceback" not in done.stderr


def test_ctrl_c_while_the_command_line_is_imported_is_quiet(tmp_path: Path) -> None:
    slow = (
        "import sys; from connectome.cli.__main__ import main\n"
        "class Slow:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'connectome.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Slow()); main()"
    )
    done = subprocess.run([sys.executable, "-c", slow], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
