"""The library says what is wrong and names no options; the command line adds those that help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import connectome
from connectome.cli.ways_out import WAYS_OUT, with_way_out
from connectome.errors import InputError
from connectome.pipeline.request import OPTIONS

LIBRARY = Path(connectome.__file__).parent
SPELL_OPTIONS = {"pipeline/parameters.py", "pipeline/request.py", "store/server/postgres.py", "view/page.py"}
"""The table of options, what is told to PostgreSQL's programs, and CSS."""


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(LIBRARY.rglob("*.py")):
        name = path.relative_to(LIBRARY).as_posix()
        if not name.startswith(("cli/", "migrations/")):
            yield from ((name, node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))


def test_the_library_names_no_options() -> None:
    flag = re.compile(r"(?:^|[\s(`'])--[a-z]")
    found = [
        f"{name}:{node.lineno}"
        for name, node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and flag.search(node.value)
        if name not in SPELL_OPTIONS
    ]
    assert found == []


def test_what_errors_are_about_has_a_way_out_and_every_way_out_is_of_use() -> None:
    used = {
        keyword.value.value
        for _, node in nodes()
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "about" and isinstance(keyword.value, ast.Constant)
    }
    options = {option.key for option in OPTIONS.values()}
    assert used - set(WAYS_OUT) - options - {""} == set()
    assert set(WAYS_OUT) - used == set()


def test_a_way_out_follows_the_message_in_one_line() -> None:
    error = InputError("two\nlines", about="channel")
    assert with_way_out(error) == "two lines: choose one with --channel N, from 0"
    assert with_way_out(InputError("alone")) == "alone"
