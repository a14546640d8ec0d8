"""The course of a training: measuring, keeping the best weights, writing all files, stopping and going on."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import torch

from connectome.errors import ConfigError
from connectome.networks.checkpoint import ModelCard, save_checkpoint
from connectome.plots.training_curve import draw_training_curve
from connectome.records import Progress
from connectome.training.choices import Begin, Keep
from connectome.training.data.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import SampleShape
from connectome.training.state import History, TrainingState, fingerprint, load_state, save_state
from connectome.training.task import Task

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what schedulers send before they kill."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """The parts of one training."""

    recipe: Recipe
    task: Task
    card: ModelCard
    trainer: Trainer
    held_out: list[Dataset]
    shape: SampleShape


class Interruption:
    """While it is entered, the first SIGINT or SIGTERM is only noted; a second one interrupts at once.

    Signals reach the main thread alone: elsewhere nothing is noted. What the process ignores stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Course:
    """The course of one training and its files: OUTPUT (the checkpoint), .state, .csv and .png beside it."""

    def __init__(self, training: Training, progress: Progress, interruption: Interruption) -> None:
        self.training = training
        self.history = History()
        self._progress = progress
        self._interruption = interruption
        self._kept: ModelCard | None = None
        self._rank: list[float] = []
        self._fingerprint = fingerprint(training.card.method, training.recipe)

    def begin(self) -> int:
        """Go back to where the same training was interrupted; the number of steps it had taken.

        Raises:
            ConfigError: the state is another training's, there is none to resume, or the training is finished.
            CheckpointError: the state can't be read.
        """
        recipe, path = self.training.recipe, beside(self.training.recipe.output, ".state")
        if recipe.begin is Begin.RESTART:
            path.unlink(missing_ok=True)
        if not path.exists():
            if recipe.begin is not Begin.RESTART:
                self._require_unfinished()
            if recipe.begin is Begin.RESUME:
                raise ConfigError(f"nothing to resume: there is no {path}", about="nothing_to_resume")
            return 0
        state = load_state(path, self._fingerprint)
        self.training.trainer.restore(state.trainer)
        torch.set_rng_state(state.generator)
        self.history = History(**state.history)
        if state.kept is not None and recipe.output.exists():
            self._kept = ModelCard.from_json(state.kept["card"])
            self._rank = state.kept["rank"]
        self._progress.say(f"going on after step {state.steps} ({path})")
        return state.steps

    def _require_unfinished(self) -> None:
        """Refuse to overwrite a checkpoint, unless the training starts from that very file.

        Raises:
            ConfigError: the output exists.
        """
        recipe = self.training.recipe
        output, start = recipe.output, recipe.start_from
        if output.exists() and not (start is not None and start.exists() and start.samefile(output)):
            raise ConfigError(f"{output} holds a finished training", about="finished_training")

    def after(self, steps: int, loss: float) -> None:
        """Take note of a step; measure and save when it is time to, or when the user wants to stop.

        Raises:
            KeyboardInterrupt: the user wants to stop, and the state is saved.
            StorageError: a file can't be written.
        """
        recipe = self.training.recipe
        self.history.losses.append(loss)
        self.history.rates.append(self.training.trainer.schedule.rate(steps - 1))
        self._progress.advance(1)
        self._progress.note(f"loss {self.history.recent_loss:.4g}")
        is_last = steps == recipe.steps
        if steps % recipe.save_every == 0 or is_last:
            self._measure(steps)
            self._write_curve()
        if is_last:
            beside(recipe.output, ".state").unlink(missing_ok=True)
        elif steps % recipe.save_every == 0 or self._interruption.asked:
            save_state(beside(recipe.output, ".state"), self._state(steps))
        if self._interruption.asked and not is_last:
            self._write_curve()
            self._progress.say(f"stopped after step {steps}: {beside(recipe.output, '.state')} holds where to go on")
            raise KeyboardInterrupt

    def result(self) -> ModelCard:
        """The card of the weights that were kept."""
        assert self._kept is not None, "the last step is always measured"
        return self._kept

    def _measure(self, steps: int) -> None:
        """Measure the averaged weights and keep them unless earlier ones were better; of equals the later ones."""
        training = self.training
        metrics = training.task.validate(training.trainer, training.held_out, training.shape)
        self.history.measured[steps] = metrics
        rank = [float(metrics[name]) for name in training.task.decides if name in metrics]
        if training.recipe.keep is Keep.LAST or rank >= self._rank:
            measured: dict[str, Any] = {"loss": self.history.recent_loss, "steps": steps}
            self._kept, self._rank = replace(training.card, metrics=measured | metrics), rank
            save_checkpoint(training.recipe.output, self._kept, training.trainer.result())
        shown = [f"{name} {metrics[name]:.3f}" for name in training.task.decides if name in metrics]
        self._progress.say(", ".join([f"step {steps}: loss {self.history.recent_loss:.4g}", *shown]))

    def _state(self, steps: int) -> TrainingState:
        kept = None if self._kept is None else {"card": self._kept.to_json(), "rank": self._rank}
        return TrainingState(
            recipe=self._fingerprint,
            steps=steps,
            trainer=self.training.trainer.state(),
            generator=torch.get_rng_state(),
            history=self.history.to_values(),
            kept=kept,
        )

    def _write_curve(self) -> None:
        recipe, card = self.training.recipe, self.training.card
        self.history.write_csv(beside(recipe.output, ".csv"))
        kept_step = None if self._kept is None else int(self._kept.metrics["steps"])
        title = f"{card.name}: {card.method}, {len(self.history.losses):,} of {recipe.steps:,} steps"
        curve = self.history.curve(title, self.training.task.decides, kept_step)
        draw_training_curve(curve, beside(recipe.output, ".png"))


def beside(output: Path, ending: str) -> Path:
    """The file of a checkpoint with another ending: model.safetensors -> model.csv."""
    return output.with_name(output.name.removesuffix(".safetensors") + ending)
