"""The choice of a device."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from connectome.errors import DeviceError
from connectome.networks.device import DeviceChoice, choose_device


def test_the_cpu_is_always_there_and_auto_finds_a_device() -> None:
    assert choose_device(DeviceChoice.CPU).type == "cpu"
    assert choose_device(DeviceChoice.AUTO).type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_refused_with_the_way_out() -> None:
    with pytest.raises(DeviceError, match="choose cpu or auto"):
        choose_device(DeviceChoice.CUDA)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    script = """
import re
from pathlib import Path
import torch
from connectome.networks.device import give_back_freed_memory, keep_freed_memory

def resident():
    return int(re.search(r"RssAnon:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

keep_freed_memory()
before, block = resident(), torch.ones(2**27)
behind = torch.ones(2**20)
del block
kept = resident()
give_back_freed_memory()
print(kept - before, resident() - before)
"""
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    kept, given_back = map(int, found.stdout.split())
    assert kept > 500
    assert given_back < 50
