"""What the three experiments (table1.py, figure2.py, large_scale.py) share: their data, their tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectome.evaluate.wilson import wilson_interval
from connectome.formats.cremi import import_cremi
from connectome.geometry import Box
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


@dataclass(frozen=True, kw_only=True)
class Data:
    """An annotated folder and where to score in it, in voxels (None: everywhere)."""

    name: str
    folder: Path
    box: Box | None = None


def real_folder() -> Path | None:
    """AC3 as volumes; None, with a line that says so, where CONNECTOME_TEST_DATA (default ../shared/data) has none."""
    source = Path(os.environ.get("CONNECTOME_TEST_DATA", "../shared/data")) / "ac3.hdf"
    if not source.exists():
        print(f"no {source}: real data is left out; set CONNECTOME_TEST_DATA to its folder")
        return None
    folder = WORK / "ac3"
    if not (folder / "annotations.csv").exists():
        import_cremi(source, folder, overwrite=True)
    return folder


def phantom_folder(
    seed: int,
    shape: tuple[int, int, int] = (64, 512, 512),
    preset: PhantomPreset = PhantomPreset.CORTEX,
    bouton_spacing_nm: float = 6000.0,
) -> Path:
    """A phantom as volumes; made at the first call."""
    folder = WORK / f"phantom-{preset}-{'x'.join(map(str, shape))}-seed{seed}"
    if not (folder / "annotations.csv").exists():
        config = PhantomConfig(shape=shape, seed=seed, preset=preset, bouton_spacing_nm=bouton_spacing_nm)
        write_phantom(config, folder, overwrite=True)
    return folder


def with_interval(part: int, whole: int) -> str:
    """A fraction with Wilson's 95 % interval as text."""
    low, high = wilson_interval(part, whole)
    return f"{part / max(whole, 1):.3f} ({low:.3f} to {high:.3f})"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def write_result(name: str, text: str) -> None:
    """Write a page of results and print it."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(text.rstrip() + "\n")
    print(text)
