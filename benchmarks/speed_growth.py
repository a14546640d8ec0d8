"""One build in a process of its own, with its peak memory: what benchmarks/speed.py calls for each size.

python benchmarks/speed_growth.py FOLDER
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from connectome.geometry import Box
from connectome.pipeline.build import build_volume
from connectome.pipeline.request import BuildRequest, Execution, InputVolumes
from connectome.records import NoProgress
from connectome.store.server.embedded import EmbeddedServer
from connectome.volumes.volume import Volume

VOLUMES = ("raw.zarr", "neuron_ids.zarr")


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A build: seconds from its first stage on, and the most memory that its process ever held."""

    voxels: int
    clefts: int
    seconds: float
    peak_bytes: int

    def slope(self, larger: Grown) -> float:
        """How many times as long a larger build takes a voxel."""
        return larger.seconds / larger.voxels / (self.seconds / self.voxels)


class FirstStage(NoProgress):
    """Notes when the first stage began."""

    began = 0.0

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Note it."""
        if name == "predict":
            self.began = time.monotonic()


def make_volumes(source: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """Folders with a phantom and with 2x2 and 4x4 mirror images of it: copies along an axis, the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for copies in (1, 2, 4):
        out = folder / f"{copies}x{copies}"
        out.mkdir(parents=True)
        for name in VOLUMES:
            _mirror(Volume.open(source / name), out / name, copies)
        yield copies, out


def _mirror(volume: Volume, path: Path, copies: int) -> None:
    whole = volume.read(volume.box)
    depth, height, width = whole.shape
    grown = Volume.create(
        path,
        shape=(depth, height * copies, width * copies),
        dtype=whole.dtype,
        resolution_nm=volume.grid.resolution_nm,
    )
    for j, i in np.ndindex(copies, copies):
        image = whole[:, :: -1 if j % 2 else 1, :: -1 if i % 2 else 1]
        grown.write(Box.of_shape(whole.shape, (0, j * height, i * width)), np.ascontiguousarray(image))


def main() -> None:
    """Build once and print what it took as JSON."""
    folder = Path(sys.argv[1])
    data_folder = folder / "data"
    request = BuildRequest(
        name="growth",
        volumes=InputVolumes(image=str(folder / VOLUMES[0]), segmentation=str(folder / VOLUMES[1])),
        execution=Execution(data_folder=data_folder),
    )
    watch = FirstStage()
    try:
        summary = build_volume(request, watch)
        seconds = time.monotonic() - watch.began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    finally:
        EmbeddedServer(data_folder / "postgres").stop()
    found = Grown(voxels=summary.voxels, clefts=summary.clefts, seconds=seconds, peak_bytes=peak)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
