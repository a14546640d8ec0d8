"""The device that networks run on, and the precision and the memory that suit it."""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager
from enum import StrEnum

import torch

from connectome.errors import DeviceError

Device = torch.device

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


class DeviceChoice(StrEnum):
    """The device that a user asks for."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def choose_device(choice: DeviceChoice) -> Device:
    """The device to run on; `auto` takes a GPU when there is one. On a CPU, memory that is freed is kept from now on.

    Raises:
        DeviceError: CUDA is asked for and torch finds no usable GPU.
    """
    available = torch.cuda.is_available()
    if choice is DeviceChoice.CUDA and not available:
        raise DeviceError("device cuda: torch finds no usable GPU here; choose cpu or auto")
    if available and choice is not DeviceChoice.CPU:
        return torch.device("cuda")
    keep_freed_memory()
    return torch.device("cpu")


def keep_freed_memory() -> None:
    """Let glibc keep large blocks that are freed, where the C library is glibc.

    By default it maps every block of more than 32 MiB anew and gives it back when it is freed, so each activation of
    a network costs as many page faults as it has pages. See mallopt(3). The process then stays as large as its largest
    tile or batch has made it, and grows where other blocks lie between the freed ones: `give_back_freed_memory` now
    and then. Threads share one arena, since those of their own can't hold such blocks.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((M_MMAP_THRESHOLD, 2**30), (M_TRIM_THRESHOLD, 2**31 - 1), (M_ARENA_MAX, 1)):
            mallopt(parameter, value)


def give_back_freed_memory() -> None:
    """Give the kernel all pages that nothing uses, where the C library is glibc. See malloc_trim(3)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def half_precision(device: Device) -> AbstractContextManager[object]:
    """bfloat16 autocast, on CPU and GPU alike."""
    return torch.autocast(device.type, dtype=torch.bfloat16)


def use_threads(count: int) -> None:
    """Let networks on the CPU use so many of its cores in this process."""
    torch.set_num_threads(max(1, count))
