"""Batches that adapt to the memory."""

from __future__ import annotations

import pytest
import torch

from connectome.errors import DeviceError
from connectome.networks.inference import CALLS_A_TRIM, Batches

CPU = torch.device("cpu")
MORE_THAN_ANY_MEMORY = 2**60


def test_items_are_cut_into_batches_in_order() -> None:
    parts = Batches(CPU, 3).run(8, lambda part: (part.start, part.stop))
    assert parts == [(0, 3), (3, 6), (6, 8)]


def test_a_batch_that_does_not_fit_is_halved_and_so_are_all_after_it() -> None:
    batches = Batches(CPU, 8)

    def call(part: slice) -> tuple[int, int]:
        if part.stop - part.start > 2:
            torch.empty(MORE_THAN_ANY_MEMORY)
        return part.start, part.stop

    assert batches.run(9, call) == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 9)]
    assert batches.run(3, call) == [(0, 2), (2, 3)]


def test_an_item_that_does_not_fit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DeviceError, match="use the CPU"):
        Batches(CPU, 4).run(4, lambda part: torch.empty(MORE_THAN_ANY_MEMORY))


def test_freed_memory_is_given_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr("connectome.networks.inference.give_back_freed_memory", lambda: given.append(1))
    batches = Batches(CPU, 1)
    batches.run(CALLS_A_TRIM + 3, lambda part: None)
    batches.run(CALLS_A_TRIM - 4, lambda part: None)
    assert len(given) == 1
    batches.run(1, lambda part: None)
    assert len(given) == 2


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="must match"):
        Batches(CPU, 4).run(4, lambda part: torch.zeros(3) + torch.zeros(2))
