"""The picture of a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from connectome.errors import StorageError
from connectome.plots.training_curve import TrainingCurve, draw_training_curve, running_mean

LOSSES = [(step, 1 / (step + 1)) for step in range(100)]
CURVE = TrainingCurve(
    title="mask 'tiny'",
    losses=LOSSES,
    rates=[(step, 1e-3) for step in range(100)],
    metrics={"object_f1": [(50, 0.5), (99, 0.8)]},
    kept_step=99,
)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def test_a_curve_is_drawn_the_same_each_time_and_shows_its_values(tmp_path: Path) -> None:
    draw_training_curve(CURVE, tmp_path / "one.png")
    draw_training_curve(CURVE, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    for name, other in (
        ("losses", replace(CURVE, losses=[(step, 1.0) for step in range(100)])),
        ("rates", replace(CURVE, rates=[(step, 1 / (step + 1)) for step in range(100)])),
        ("metrics", replace(CURVE, metrics={"object_f1": [(50, 0.1), (99, 0.2)]})),
    ):
        draw_training_curve(other, tmp_path / f"{name}.png")
        assert (pixels(tmp_path / f"{name}.png") != pixels(tmp_path / "one.png")).any(), name


def test_without_metrics_there_is_one_panel(tmp_path: Path) -> None:
    draw_training_curve(CURVE, tmp_path / "two.png")
    draw_training_curve(TrainingCurve(title="", losses=LOSSES, rates=[], metrics={}), tmp_path / "one.png")
    assert pixels(tmp_path / "one.png").shape[1] * 2 == pixels(tmp_path / "two.png").shape[1]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        draw_training_curve(CURVE, tmp_path / "nowhere" / "curve.png")


def test_a_running_mean_looks_back_only() -> None:
    assert running_mean([2.0, 4.0, 6.0, 8.0], 2) == [2.0, 3.0, 5.0, 7.0]
    assert running_mean([], 3) == []
