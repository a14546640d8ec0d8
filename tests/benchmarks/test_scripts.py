"""The benchmarks know the code of now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_every_script_finds_what_it_imports() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.py"))
    assert "speed" in names
    for name in names:
        done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=FOLDER, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stderr}"


def test_results_name_the_versions_that_are_installed() -> None:
    code = "import machine; print(machine.machine_text())"
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True)
    assert "connectome-em" in done.stdout, done.stderr
