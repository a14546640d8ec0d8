"""Decoys: what a detector took for clefts and nobody annotated, as labels and a table in a folder of annotated data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from connectome.errors import TrainingDataError
from connectome.files import whole_text
from connectome.geometry import Grid, Triple
from connectome.records import Clefts

LABELS, TABLE = "decoys.zarr", "decoys.csv"
"""Names in the folder, see `connectome train decoys`."""
COLUMNS = ("decoy_id", "size_voxels", "z_nm", "y_nm", "x_nm")


@dataclass(frozen=True, kw_only=True)
class Decoy:
    """One object: its label in decoys.zarr, and the voxel (z, y, x) of the cleft labels' grid at its centre."""

    decoy_id: int
    centre_voxel: Triple


def read_decoys(table: Path, grid: Grid) -> list[Decoy]:
    """The decoys of a table, ascending by id.

    Args:
        table: CSV with the columns `COLUMNS`, the last three the centroids.
        grid: of the cleft labels.

    Raises:
        TrainingDataError: it can't be read.
    """
    try:
        with table.open(newline="") as file:
            rows = [
                (int(row["decoy_id"]), (float(row["z_nm"]), float(row["y_nm"]), float(row["x_nm"])))
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{table} isn't a table of decoys ({error}): write it anew with connectome train decoys"
        ) from error
    return [Decoy(decoy_id=decoy_id, centre_voxel=grid.voxel_at(centroid_nm)) for decoy_id, centroid_nm in sorted(rows)]


def write_decoys(table: Path, decoys: Clefts) -> None:
    """Write the table; it appears whole or not at all.

    Raises:
        StorageError: it can't be written.
    """
    columns = (decoys.cleft_id, decoys.size_voxels, decoys.centroid_nm)
    with whole_text(table) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for decoy_id, size_voxels, centroid_nm in zip(*(column.tolist() for column in columns), strict=True):
            writer.writerow([decoy_id, size_voxels, *(f"{v:.1f}" for v in centroid_nm)])
