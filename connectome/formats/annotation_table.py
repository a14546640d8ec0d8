"""annotations.csv: one row a synapse, with its cleft, its partners and their points."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from connectome.errors import ReferenceDataError
from connectome.files import whole_text
from connectome.geometry import NmTriple

COLUMNS = (
    "cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "size_voxels",
    "z_nm",
    "y_nm",
    "x_nm",
    "pre_z_nm",
    "pre_y_nm",
    "pre_x_nm",
    "post_z_nm",
    "post_y_nm",
    "post_x_nm",
)


@dataclass(frozen=True, kw_only=True)
class AnnotationRow:
    """One synapse; what a source doesn't tell is None and an empty cell in the table.

    Attributes:
        centroid_nm: mean of its cleft's voxel centres (z, y, x).
        pre_point_nm, post_point_nm: a point (z, y, x) in each partner.
    """

    cleft_id: int | None
    pre_segment_id: int | None
    post_segment_id: int | None
    size_voxels: int | None
    centroid_nm: NmTriple | None
    pre_point_nm: NmTriple | None
    post_point_nm: NmTriple | None


def write_annotations(path: Path, rows: Iterable[AnnotationRow]) -> None:
    """Write the table; it appears whole or not at all.

    Raises:
        StorageError: the disk is full or the place can't be written.
    """
    with whole_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_cells(row) for row in rows)


def read_annotations(path: Path) -> list[AnnotationRow]:
    """Read the table.

    Raises:
        ReferenceDataError: it can't be read, a column is missing, or a cell isn't a number.
    """
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ReferenceDataError(f"{path} has no column {', '.join(missing)}")
            return [_parsed(path, number, cells) for number, cells in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReferenceDataError(f"{path} can't be read as a table: {error}") from error


def _cells(row: AnnotationRow) -> list[str]:
    ids = (row.cleft_id, row.pre_segment_id, row.post_segment_id, row.size_voxels)
    points = (row.centroid_nm, row.pre_point_nm, row.post_point_nm)
    numbers = ["" if point is None else f"{point[axis]:.3f}" for point in points for axis in range(3)]
    return ["" if value is None else str(value) for value in ids] + numbers


def _parsed(path: Path, line: int, cells: dict[str, str | None]) -> AnnotationRow:
    def whole(name: str) -> int | None:
        text = cells[name]
        return int(text) if text else None

    def point(prefix: str) -> NmTriple | None:
        texts = [cells[f"{prefix}{axis}_nm"] for axis in "zyx"]
        if not all(texts):
            return None
        z, y, x = (float(text or "nan") for text in texts)
        return z, y, x

    try:
        return AnnotationRow(
            cleft_id=whole("cleft_id"),
            pre_segment_id=whole("pre_segment_id"),
            post_segment_id=whole("post_segment_id"),
            size_voxels=whole("size_voxels"),
            centroid_nm=point(""),
            pre_point_nm=point("pre_"),
            post_point_nm=point("post_"),
        )
    except ValueError as error:
        raise ReferenceDataError(f"{path}, line {line}: {error}") from error
