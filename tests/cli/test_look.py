"""`connectome view` and `connectome report` from the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from small_world import make_small_world

from connectome.pipeline.build import build_volume


@pytest.fixture(scope="module")
def built(module_data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a run `small`."""
    build_volume(make_small_world(tmp_path_factory.mktemp("world")).request(module_data_folder))
    return module_data_folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "connectome.cli", *arguments]


def test_a_report_is_written_and_its_path_printed(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "small.html"
    done = subprocess.run(
        command("report", "--run", "small", "--output", str(output), "--data-folder", str(built)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(output)
    assert output.read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_a_view_serves_until_it_is_interrupted(built: Path) -> None:
    arguments = command("view", "--run", "small", "--no-browser", "--data-folder", str(built))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}) as (
        process
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert b"<title>" in urlopen(address).read()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_two_places_are_one_too_many(built: Path) -> None:
    done = subprocess.run(
        command("view", "--run", "small", "--at", "1,2,3", "--segment", "4", "--data-folder", str(built)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
