"""What the stages of a build cost beside their networks and beside cc3d, and how a build grows with the volume.

    python benchmarks/speed.py [--small]

Everything that is compared runs in one process, turn and turn about, on a phantom with the shipped models; of three
rounds the fastest counts. The builds run one after the other in processes of their own, on the phantom and on 2x2 and
4x4 mirror images of it. Writes results/speed.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from machine import machine_text
from paper import Setting, table
from speed_growth import Grown, make_volumes
from speed_parts import Measured, Phantom, assign_share, label_share, predict_share

from connectome.networks.device import keep_freed_memory

SEED = 5001


def main() -> None:
    """Measure."""
    setting = Setting.of_command_line(__doc__ or "")
    keep_freed_memory()
    data = setting.phantom(SEED)
    phantom = Phantom.open(data.folder, setting.work / "speed")
    predicted, prediction = predict_share(phantom)
    labelled = label_share(phantom, prediction, copies=1 if setting.small else 4)
    page = [*head(), shares([*predicted, *labelled, *assign_share(phantom)])]
    setting.write("speed.md", page)
    setting.write("speed.md", [*page, *growth(data.folder, setting)])


def head() -> list[str]:
    """What it is."""
    return ["# What a build costs", f"Made by `python benchmarks/speed.py`. {machine_text()}."]


def shares(parts: list[Measured]) -> str:
    """The table of rates."""
    head = ["what", "rate", "beside", "rate", "ratio", "aim"]
    return table(head, [one.row for one in parts])


def growth(folder: Path, setting: Setting) -> list[str]:
    """Builds of 1, 4 and 16 volumes."""
    rows, first = [], None
    for copies, volumes in make_volumes(folder, setting.work / "speed-growth"):
        command = [sys.executable, str(Path(__file__).with_name("speed_growth.py")), str(volumes)]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        one = Grown(**json.loads(found.stdout.splitlines()[-1]))
        first = first or one
        rows.append(
            [
                f"{copies * copies}x",
                f"{one.voxels / 1e6:.1f}",
                one.clefts,
                f"{one.peak_bytes / 2**20:,.0f}",
                f"{one.peak_bytes / first.peak_bytes - 1:+.1%}",
                f"{one.seconds:.1f}",
                f"{one.seconds / one.voxels * 1e6:.3f}",
                f"{first.slope(one) - 1:+.1%}",
            ]
        )
    names = ["volume", "Mvoxel", "clefts", "peak MiB", "growth", "s", "s a Mvoxel", "growth"]
    words = (
        "Builds of a volume and of its mirror images (2x2 and 4x4 side by side in the section), each in a process of "
        "its own, without the server's. Aims: less than 10 % more memory, less than 15 % more time a voxel. Seconds "
        "are those of all stages."
    )
    return ["## Growth", words, table(names, rows)]


if __name__ == "__main__":
    main()
