"""What the three experiments (table1.py, figure2.py, large_scale.py) share: their data, their options, their tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectome.evaluate.intervals import wilson_interval
from connectome.formats.cremi import import_cremi
from connectome.geometry import Box, Triple
from connectome.phantom import PhantomConfig, PhantomPreset, write_phantom

WORK = Path("build/paper")
RESULTS = Path(__file__).parent / "results"
ASSIGNERS = ("avan", "mask-pruner", "proximity-pruner", "nearest")
DETECTORS = ("mask", "stdt", "signed-proximity")
VALIDATION_BOX = Box((0, 0, 160), (140, 512, 210))
TEST_BOX = Box((0, 0, 0), (140, 512, 160))
VALIDATION_SEED = 1003
TEST_SEEDS = tuple(range(5001, 5013))
"""Seeds of phantoms that nothing was trained on or chosen by."""
USUAL_SHAPE: Triple = (64, 512, 512)
SMALL_SHAPE: Triple = (40, 256, 256)


@dataclass(frozen=True, kw_only=True)
class Data:
    """An annotated folder and where to score in it, in voxels (None: everywhere)."""

    name: str
    folder: Path
    box: Box | None = None

    @property
    def image(self) -> str:
        """URL of the image."""
        return str(self.folder / "raw.zarr")

    @property
    def segmentation(self) -> str:
        """URL of the segmentation."""
        return str(self.folder / "neuron_ids.zarr")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where an experiment works, where its results go, and whether it only shows that it runs.

    Attributes:
        small: no real data, and phantoms of `SMALL_SHAPE` in place of all others.
    """

    work: Path
    results: Path
    small: bool

    @classmethod
    def of_command_line(cls, description: str) -> Setting:
        """From the options of a script."""
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--work", type=Path, default=WORK, help="where phantoms and outputs go [%(default)s]")
        parser.add_argument("--results", type=Path, help="where tables go [benchmarks/results; with --small the work]")
        parser.add_argument("--small", action="store_true", help="small phantoms alone, to see that it runs")
        given = parser.parse_args()
        return cls(
            work=given.work, results=given.results or (given.work if given.small else RESULTS), small=given.small
        )

    @property
    def test_seeds(self) -> tuple[int, ...]:
        """Seeds of the phantoms to score on."""
        return TEST_SEEDS[:2] if self.small else TEST_SEEDS

    def real(self, name: str, box: Box) -> list[Data]:
        """A box of AC3; none, with a line that says so, where CONNECTOME_TEST_DATA (../shared/data) hasn't got it."""
        source = Path(os.environ.get("CONNECTOME_TEST_DATA", "../shared/data")) / "ac3.hdf"
        if self.small:
            return []
        if not source.exists():
            print(f"no {source}: real data is left out; set CONNECTOME_TEST_DATA to its folder")
            return []
        folder = self.work / "ac3"
        if not (folder / "annotations.csv").exists():
            import_cremi(source, folder, overwrite=True)
        return [Data(name=name, folder=folder, box=box)]

    def phantom(
        self,
        seed: int,
        shape: Triple = USUAL_SHAPE,
        preset: PhantomPreset = PhantomPreset.CORTEX,
        bouton_spacing_nm: float | None = None,
    ) -> Data:
        """A phantom as volumes; made at the first call."""
        shape = SMALL_SHAPE if self.small else shape
        spacing = "" if bouton_spacing_nm is None else f"-spacing{bouton_spacing_nm:g}"
        folder = self.work / f"phantom-{preset}-{'x'.join(map(str, shape))}{spacing}-seed{seed}"
        if not (folder / "annotations.csv").exists():
            config = PhantomConfig(shape=shape, seed=seed, preset=preset, bouton_spacing_nm=bouton_spacing_nm)
            write_phantom(config, folder, overwrite=True)
        return Data(name=f"phantom {seed}", folder=folder)

    def write(self, name: str, parts: Iterable[str]) -> None:
        """Write a page of results, and print it."""
        page = "\n\n".join(parts).rstrip() + "\n"
        self.results.mkdir(parents=True, exist_ok=True)
        (self.results / name).write_text(page)
        print(page)


def with_interval(part: int, whole: int) -> str:
    """A fraction with Wilson's 95 % interval as text."""
    low, high = wilson_interval(part, whole)
    return f"{part / max(whole, 1):.3f} ({low:.3f} to {high:.3f})"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])
