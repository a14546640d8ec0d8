"""Calls of a network on a device: one at a time, with as many items as its memory takes."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import TypeVar

import torch

from connectome.errors import DeviceError
from connectome.networks.device import Device, give_back_freed_memory

Result = TypeVar("Result")

CALLS_A_TRIM = 16
"""Of a network on the CPU: often enough to bound the memory, seldom enough that its page faults don't count."""


class Batches:
    """Cuts items into batches; a batch that the device's memory can't hold is halved, and so are all after it.

    Threads that share a device wait for each other here, so what they read and write overlaps with the network.
    """

    def __init__(self, device: Device, largest: int) -> None:
        """Begin with batches of `largest` items."""
        self.device = device
        self.size = largest
        self._calls = 0
        self._lock = threading.Lock()

    def run(self, count: int, call: Callable[[slice], Result]) -> list[Result]:
        """The results of `call` for consecutive slices of `count` items.

        Raises:
            DeviceError: the memory can't even hold one item.
        """
        results: list[Result] = []
        first = 0
        with self._lock, torch.inference_mode():
            while first < count:
                stop = min(first + self.size, count)
                try:
                    results.append(call(slice(first, stop)))
                except RuntimeError as error:
                    if not _is_out_of_memory(error):
                        raise
                    if stop - first == 1:
                        raise DeviceError(
                            f"device {self.device} hasn't the memory for one patch: free some of it, or use "
                            "--device cpu"
                        ) from error
                    self.size = (stop - first) // 2
                else:
                    first = stop
                    self._count()
                    continue
                self._release()
        return results

    def _count(self) -> None:
        """Another call is done."""
        self._calls += 1
        if self.device.type == "cpu" and self._calls % CALLS_A_TRIM == 0:
            give_back_freed_memory()

    def _release(self) -> None:
        """Give back what the failed call still held."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
