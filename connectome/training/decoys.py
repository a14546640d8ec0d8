"""Decoys: what a detector took for clefts and nobody annotated. Shown often, they teach what a cleft is not."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from connectome.errors import TrainingDataError
from connectome.geometry import Grid, Triple, voxel_at_nm

LABELS, TABLE = "decoys.zarr", "decoys.csv"
"""Names in a source's folder, see `connectome train decoys`."""


@dataclass(frozen=True, kw_only=True)
class Decoy:
    """One object: its label in decoys.zarr, and the voxel (z, y, x) of the cleft labels' grid at its centre."""

    decoy_id: int
    centre_voxel: Triple


def read_decoys(table: Path, grid: Grid) -> list[Decoy]:
    """The decoys of a table with the columns decoy_id, z_nm, y_nm, x_nm (centroids); ascending by id.

    Raises:
        TrainingDataError: it can't be read.
    """
    try:
        with table.open(newline="") as file:
            rows = [
                (int(row["decoy_id"]), *(float(row[f"{axis}_nm"]) for axis in "zyx")) for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{table} isn't a table of decoys ({error}): write it anew with connectome train decoys"
        ) from error
    return [
        Decoy(decoy_id=decoy_id, centre_voxel=voxel_at_nm((z, y, x), grid.resolution_nm, grid.offset_nm))
        for decoy_id, z, y, x in sorted(rows)
    ]
