"""What happens between the steps: going on after an interruption, the best weights, the files."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from connectome.errors import CheckpointError, ConfigError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method, ModelRole, load_checkpoint, read_card
from connectome.records import NoProgress
from connectome.training import train as training
from connectome.training.choices import Begin, Keep
from connectome.training.course import beside
from connectome.training.data.source import DataSource
from connectome.training.recipe import Recipe
from connectome.training.train import train

STOP_AT = 13

KILLED = """
import os, signal, sys
from pathlib import Path
from connectome.networks.checkpoint import Method
from connectome.networks.device import DeviceChoice
from connectome.records import NoProgress
from connectome.training.recipe import Recipe
from connectome.training.data.source import DataSource
from connectome.training.train import train

class Killing(NoProgress):
    done = 0
    def advance(self, amount):
        self.done += amount
        if self.done == 13:
            os.kill(os.getpid(), signal.SIGKILL)

folder, output = map(Path, sys.argv[1:])
train(Method.MASK, Recipe(sources=(DataSource(folder=folder),), output=output, name="tiny", steps=20, save_every=5,
      patch_shape=(4, 16, 16), batch=2, widths=(8, 8), learning_rate=1e-2, device=DeviceChoice.CPU), Killing())
"""


class Stopping(NoProgress):
    """Ctrl-C in the middle; remembers what was told."""

    def __init__(self, at: int = STOP_AT) -> None:
        self.at, self.done, self.told = at, 0, ""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        self.done = done

    def advance(self, amount: int) -> None:
        self.done += amount
        if self.done == self.at:
            signal.raise_signal(signal.SIGINT)

    def say(self, text: str) -> None:
        self.told += text + "\n"


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    return replace(recipe, steps=20, save_every=5)


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path, ModelRole.DETECTOR).network.state_dict()


def same(first: Path, second: Path) -> bool:
    one, two = weights(first), weights(second)
    return all(torch.equal(one[name], two[name]) for name in one)


def test_after_ctrl_c_the_same_call_goes_on_to_the_same_losses_and_weights(short: Recipe, tmp_path: Path) -> None:
    whole = replace(short, output=tmp_path / "whole.safetensors")
    train(Method.MASK, whole)
    progress = Stopping()
    with pytest.raises(KeyboardInterrupt):
        train(Method.MASK, short, progress)
    assert f"stopped after step {STOP_AT}" in progress.told
    assert len(beside(short.output, ".csv").read_text().splitlines()) == STOP_AT + 1
    again = Stopping(at=0)
    train(Method.MASK, short, again)
    assert again.told.startswith(f"going on after step {STOP_AT}")
    assert beside(short.output, ".csv").read_bytes() == beside(whole.output, ".csv").read_bytes()
    assert same(short.output, whole.output)
    assert read_card(short.output).metrics == read_card(whole.output).metrics
    assert not beside(short.output, ".state").exists()


def test_after_kill_9_the_same_call_goes_on_to_the_same_losses_and_weights(
    short: Recipe, folder: Path, tmp_path: Path
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(short.output)], capture_output=True, text=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    whole = replace(short, output=tmp_path / "whole.safetensors")
    train(Method.MASK, whole)
    progress = Stopping(at=0)
    train(Method.MASK, short, progress)
    assert "going on after step 10" in progress.told
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert beside(short.output, ".csv").read_bytes() == beside(whole.output, ".csv").read_bytes()
    assert same(short.output, whole.output)


def test_going_on_needs_the_same_training_and_restart_forgets_it(short: Recipe) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Method.MASK, short, Stopping())
    with pytest.raises(ConfigError, match=r"another training \(different: learning_rate, seed\)"):
        train(Method.MASK, replace(short, seed=1, learning_rate=1e-3))
    other = replace(short, steps=3, begin=Begin.RESTART)
    assert train(Method.MASK, other).metrics["steps"] == 3
    short.output.unlink()
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(Method.MASK, replace(short, begin=Begin.RESUME))


@pytest.mark.parametrize("begin", [Begin.AUTO, Begin.RESUME])
def test_a_finished_training_is_not_overwritten_unless_asked(short: Recipe, tmp_path: Path, begin: Begin) -> None:
    short = replace(short, steps=3)
    train(Method.MASK, short)
    before = short.output.read_bytes()
    with pytest.raises(ConfigError, match=r"model\.safetensors holds a finished training"):
        train(Method.MASK, replace(short, begin=begin, seed=1))
    assert short.output.read_bytes() == before
    onwards = replace(short, start_from=tmp_path / "." / short.output.name)
    assert train(Method.MASK, onwards).training["start_from"] == short.output.name
    assert train(Method.MASK, replace(short, steps=2, begin=Begin.RESTART)).metrics["steps"] == 2


def test_a_state_that_is_no_state_is_refused(short: Recipe) -> None:
    beside(short.output, ".state").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="isn't the state of a training"):
        train(Method.MASK, short)


@pytest.mark.parametrize(("keep", "kept"), [(Keep.BEST, 15), (Keep.LAST, 20)])
def test_the_weights_with_the_best_metric_are_kept_of_equals_the_later(
    keep: Keep, kept: int, short: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The measured values are given, so that their order is known; everything else is real."""
    values = iter([0.2, 0.8, 0.8, 0.5])
    real = training.task_of

    def given(method: Method, recipe: Recipe) -> Any:
        return replace(real(method, recipe), validate=lambda *_: {"object_f1": next(values), "voxel_f1": 0.5})

    monkeypatch.setattr(training, "task_of", given)
    card = train(Method.MASK, replace(short, keep=keep))
    assert card.metrics["steps"] == kept
    assert card.metrics["object_f1"] == (0.8 if keep is Keep.BEST else 0.5)
    monkeypatch.undo()
    until = replace(short, output=tmp_path / "until.safetensors")
    with pytest.raises(KeyboardInterrupt):
        train(Method.MASK, until, Stopping(at=kept) if kept < 20 else Stopping(at=19))
    assert read_card(short.output) == card
    assert same(short.output, until.output) == (kept < 20)


def test_a_metric_before_an_interruption_still_counts_after_it(short: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.2, 0.8, 0.7, 0.5])
    real = training.task_of
    monkeypatch.setattr(
        training,
        "task_of",
        lambda method, recipe: replace(real(method, recipe), validate=lambda *_: {"object_f1": next(values)}),
    )
    with pytest.raises(KeyboardInterrupt):
        train(Method.MASK, short, Stopping())
    assert train(Method.MASK, short).metrics["object_f1"] == 0.8


def test_the_curve_lies_beside_the_checkpoint(short: Recipe, folder: Path) -> None:
    left, right = (DataSource(folder=folder, box=Box((0, 0, x), (8, 64, x + 32))) for x in (0, 32))
    train(Method.MASK, replace(short, sources=(left,), validation=(right,)))
    rows = list(csv.DictReader(beside(short.output, ".csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == [str(step) for step in range(1, 21)]
    assert [row["step"] for row in rows if row["object_f1"]] == ["5", "10", "15", "20"]
    assert float(rows[0]["learning_rate"]) == 1e-2
    with Image.open(beside(short.output, ".png")) as image:
        assert image.size[0] > 1000


def test_files_beside_a_checkpoint_keep_its_name() -> None:
    assert beside(Path("a/v1.2.safetensors"), ".csv") == Path("a/v1.2.csv")
    assert beside(Path("a/v1.2"), ".state") == Path("a/v1.2.state")
