"""The course of a training as CSV and as what is drawn."""

from __future__ import annotations

import csv
from pathlib import Path

from connectome.training.state import History

HISTORY = History(
    losses=[0.1 + 0.2, 0.5, 0.25], rates=[1e-3, 5e-4, 1e-5], measured={2: {"a": 0.5}, 3: {"a": 1, "b": 2}}
)


def test_the_table_has_a_row_a_step_with_exact_values_and_empty_cells(tmp_path: Path) -> None:
    HISTORY.write_csv(tmp_path / "h.csv")
    rows = list(csv.reader((tmp_path / "h.csv").read_text().splitlines()))
    assert rows[0] == ["step", "loss", "learning_rate", "a", "b"]
    assert rows[1] == ["1", "0.30000000000000004", "0.001", "", ""]
    assert rows[2][3:] == ["0.5", ""] and rows[3][3:] == ["1", "2"]


def test_the_curve_shows_the_metrics_that_were_asked_for_and_exist() -> None:
    curve = HISTORY.curve("t", ("b", "c"), 3)
    assert curve.metrics == {"b": [(3, 2)]}
    assert curve.losses[0] == (1, 0.1 + 0.2) and curve.kept_step == 3


def test_the_recent_loss_is_the_mean_of_the_last_two_hundred_steps() -> None:
    assert History(losses=[9.0] + [1.0] * 199 + [3.0]).recent_loss == (199 + 3) / 200
