"""The family of errors and its exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectome import errors

README = Path(__file__).parents[1] / "README.md"


def family(error: type[errors.ConnectomeError]) -> Iterator[type[errors.ConnectomeError]]:
    yield error
    for child in error.__subclasses__():
        yield from family(child)


def documented_codes() -> set[int]:
    text = (errors.__doc__ or "").split("Exit codes:")[1]
    return {int(code) for code in re.findall(r"\b(\d+) [a-z]", text)}


@pytest.mark.parametrize("error", list(family(errors.ConnectomeError)), ids=lambda error: error.__name__)
def test_every_error_has_a_documented_exit_code_that_is_its_own(error: type[errors.ConnectomeError]) -> None:
    reserved_for_the_command_line = {0, 2, 130}
    assert error.exit_code in documented_codes() - reserved_for_the_command_line


def test_the_readme_lists_the_same_exit_codes() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README.read_text(), flags=re.MULTILINE)}
    assert listed == documented_codes() | {0}


def test_all_errors_live_in_the_errors_module() -> None:
    assert {error.__module__ for error in family(errors.ConnectomeError)} == {"connectome.errors"}
