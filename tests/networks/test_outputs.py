"""What a detector's logits mean, and how they are stored."""

from __future__ import annotations

import pytest
import torch

from connectome.networks.checkpoint import Method
from connectome.networks.inference import detector_output, encoded

DETECTORS = [Method.MASK, Method.STDT, Method.SIGNED_PROXIMITY]
LOGITS = torch.linspace(-12, 12, 4801)


@pytest.mark.parametrize(
    ("method", "low", "middle", "high"),
    [(Method.MASK, 0, 128, 255), (Method.STDT, 0, 128, 255), (Method.SIGNED_PROXIMITY, 1, 128, 255)],
)
def test_one_byte_spans_the_representation(method: Method, low: int, middle: int, high: int) -> None:
    stored = encoded(method, torch.tensor([-50.0, 0.0, 50.0]))
    assert stored.dtype == torch.uint8
    assert stored.tolist() == [low, middle, high]


@pytest.mark.parametrize(
    ("method", "zero", "scale"),
    [(Method.MASK, 0, 255), (Method.STDT, 127.5, 127.5), (Method.SIGNED_PROXIMITY, 128, 127)],
)
def test_a_stored_value_is_the_output_within_half_a_step(method: Method, zero: float, scale: float) -> None:
    back = (encoded(method, LOGITS).float() - zero) / scale
    assert (back - detector_output(method, LOGITS)).abs().max() <= 0.51 / scale


def test_signed_outputs_are_odd_and_a_mask_sums_to_one() -> None:
    for method in (Method.STDT, Method.SIGNED_PROXIMITY):
        assert torch.allclose(detector_output(method, LOGITS), -detector_output(method, -LOGITS), atol=1e-6)
    assert torch.allclose(detector_output(Method.MASK, LOGITS) + detector_output(Method.MASK, -LOGITS), torch.ones(1))


def test_an_stdt_is_stored_like_the_mask_of_the_same_logits() -> None:
    difference = encoded(Method.STDT, LOGITS).int() - encoded(Method.MASK, LOGITS).int()
    assert difference.abs().max() <= 1


@pytest.mark.parametrize("method", sorted(set(Method) - set(DETECTORS)))
def test_an_assigner_represents_no_clefts(method: Method) -> None:
    with pytest.raises(ValueError, match="no representation"):
        encoded(method, LOGITS)
