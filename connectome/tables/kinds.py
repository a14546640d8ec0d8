"""The kinds of table files and of columns. Light: it doesn't import Arrow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from connectome.errors import TableError


class FileKind(StrEnum):
    """A kind of table file."""

    CSV = "csv"
    TSV = "tsv"
    FEATHER = "feather"
    PARQUET = "parquet"


class Columns(StrEnum):
    """Whose columns a table has."""

    CONNECTOME = "connectome"
    CAVE = "cave"
    FLYWIRE = "flywire"
    SYNAPTOR = "synaptor"
    NEUPRINT = "neuprint"


SUFFIXES = {
    ".csv": FileKind.CSV,
    ".tsv": FileKind.TSV,
    ".tab": FileKind.TSV,
    ".txt": FileKind.CSV,
    ".feather": FileKind.FEATHER,
    ".arrow": FileKind.FEATHER,
    ".parquet": FileKind.PARQUET,
    ".pq": FileKind.PARQUET,
}


TEXT = (FileKind.CSV, FileKind.TSV)


def kind_of(path: Path) -> FileKind:
    """The kind of a table file, from its name; `.csv.gz` is CSV too.

    Raises:
        TableError: the name tells none.
    """
    compressed = path.suffix.lower() == ".gz"
    kind = SUFFIXES.get((path.with_suffix("").suffix if compressed else path.suffix).lower())
    if kind is None or (compressed and kind not in TEXT):
        raise TableError(f"{path} isn't named as a table: it must end in {', '.join(SUFFIXES)}, .csv.gz or .tsv.gz")
    return kind
