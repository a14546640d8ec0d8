"""Where networks run: the device, and the precision that suits it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum

import torch

from connectome.errors import DeviceError

Device = torch.device


class DeviceChoice(StrEnum):
    """What the user asks for."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def choose_device(choice: DeviceChoice) -> Device:
    """The device to run on; `auto` takes a GPU when there is one.

    Raises:
        DeviceError: CUDA is asked for and torch finds no usable GPU.
    """
    available = torch.cuda.is_available()
    match choice:
        case DeviceChoice.AUTO:
            return torch.device("cuda" if available else "cpu")
        case DeviceChoice.CPU:
            return torch.device("cpu")
        case DeviceChoice.CUDA:
            if not available:
                raise DeviceError("--device cuda: torch finds no usable GPU here; use --device cpu or auto")
            return torch.device("cuda")


def half_precision(device: Device) -> AbstractContextManager[object]:
    """bfloat16 autocast, on CPU and GPU alike."""
    return torch.autocast(device.type, dtype=torch.bfloat16)


def use_threads(count: int) -> None:
    """Let networks on the CPU use so many of its cores in this process."""
    torch.set_num_threads(max(1, count))
