"""The section that a file of a stack is, by the number in its name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from connectome.errors import VolumeFormatError

MOST_NAMED = 6


class Gaps(StrEnum):
    """What becomes of numbers that no file has: refused, left blank (sections of 0), or closed as if they weren't."""

    REFUSE = "refuse"
    BLANK = "blank"
    CLOSE = "close"


def natural_key(path: Path) -> list[tuple[int, str]]:
    """A sort key that puts section 9 before section 10."""
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def order_sections(paths: Sequence[Path], gaps: Gaps) -> list[Path | None]:
    """Section files in order; None for a section that no file shows.

    Their names may differ in one number that counts sections, by ones or by a larger step throughout.

    Args:
        paths: at least one file.
        gaps: what becomes of missing sections. Closed: files are taken in natural order whatever their names say.

    Raises:
        VolumeFormatError: names don't count sections, two files are one section, or sections are missing.
    """
    files = sorted(paths, key=natural_key)
    if len(files) == 1 or gaps is Gaps.CLOSE:
        return list(files)
    numbers = _numbers(files)
    step = math.gcd(*(b - a for a, b in pairwise(numbers))) if len(files) > 2 else 1
    missing = (numbers[-1] - numbers[0]) // step + 1 - len(files)
    if missing == 0:
        return list(files)
    if gaps is Gaps.REFUSE or missing > len(files):
        raise VolumeFormatError(f"{_folder(files)}: {_missing(numbers, step, missing)}", about="gaps")
    there = dict(zip(numbers, files, strict=True))
    return [there.get(number) for number in range(numbers[0], numbers[-1] + 1, step)]


def _numbers(files: Sequence[Path]) -> list[int]:
    """The number of each file's section, ascending.

    Raises:
        VolumeFormatError: names are of several kinds, or differ in no number, or in several.
    """
    kinds = [re.sub(r"\d+", "#", file.stem.lower()) for file in files]
    usual, count = Counter(kinds).most_common(1)[0]
    if count < len(files):
        odd = [file.name for file, kind in zip(files, kinds, strict=True) if kind != usual]
        raise VolumeFormatError(
            f"{_folder(files)}: {_some(odd)} among {count} files named like {usual}: sections of one stack are named "
            "alike, with a number that counts them",
            about="sections",
        )
    columns = list(zip(*([int(part) for part in re.findall(r"\d+", file.stem)] for file in files), strict=True))
    counting = [column for column in columns if len(set(column)) > 1]
    for (one, first), (other, second) in pairwise(zip(files, zip(*columns, strict=True), strict=True)):
        if first == second:
            raise VolumeFormatError(f"{_folder(files)}: {one.name} and {other.name} are one section", about="sections")
    steady = [column for column in counting if all(a < b for a, b in pairwise(column))]
    if len(counting) > 1:
        steady = [column for column in steady if len({b - a for a, b in pairwise(column)}) == 1]
    if not steady:
        spans = " and ".join(f"{min(column)} to {max(column)}" for column in counting)
        raise VolumeFormatError(
            f"{_folder(files)}: names hold several numbers that differ ({spans}), so they don't say the order",
            about="sections",
        )
    return list(steady[-1])


def _missing(numbers: Sequence[int], step: int, missing: int) -> str:
    if missing > len(numbers):
        return f"numbers from {numbers[0]} to {numbers[-1]} for {len(numbers)} files don't count sections"
    there = set(numbers)
    absent = [str(number) for number in range(numbers[0], numbers[-1], step) if number not in there]
    return f"{missing} of {missing + len(numbers)} sections are missing ({_some(absent)})"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _folder(files: Sequence[Path]) -> Path:
    return files[0].parent
