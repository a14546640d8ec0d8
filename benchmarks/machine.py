"""Which machine and versions a benchmark ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "numpy", "tensorstore", "distributed", "connectome-em")


def machine_text() -> str:
    """One line: processor, cores, Python, packages."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
