"""Calls of a network on a device: one at a time, with as many items as its memory takes."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import TypeVar

import torch

from connectome.errors import DeviceError
from connectome.networks.device import Device

Result = TypeVar("Result")


class Batches:
    """Cuts items into batches; a batch that the device's memory can't hold is halved, and so are all after it.

    Threads that share a device wait for each other here, so what they read and write overlaps with the network.
    """

    def __init__(self, device: Device, largest: int) -> None:
        """Begin with batches of `largest` items."""
        self.device = device
        self.size = largest
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
                    continue
                self._release()
        return results

    def _release(self) -> None:
        """Give back what the failed call still held."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
