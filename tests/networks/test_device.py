"""The choice of a device."""

from __future__ import annotations

import pytest
import torch

from connectome.errors import DeviceError
from connectome.networks.device import DeviceChoice, choose_device


def test_the_cpu_is_always_there_and_auto_finds_a_device() -> None:
    assert choose_device(DeviceChoice.CPU).type == "cpu"
    assert choose_device(DeviceChoice.AUTO).type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_refused_with_the_way_out() -> None:
    with pytest.raises(DeviceError, match="use --device cpu or auto"):
        choose_device(DeviceChoice.CUDA)
