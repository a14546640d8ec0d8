"""The kinds of table files and of columns. Light: it doesn't import Arrow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from connectome.errors import TableError


class FileKind(StrEnum):
    """A kind of table file."""

    CSV = "csv"
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
    ".feather": FileKind.FEATHER,
    ".arrow": FileKind.FEATHER,
    ".parquet": FileKind.PARQUET,
    ".pq": FileKind.PARQUET,
}


def kind_of(path: Path) -> FileKind:
    """The kind of a table file, from its name; `.csv.gz` is CSV too.

    Raises:
        TableError: the name tells none.
    """
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    kind = SUFFIXES.get(suffix.lower())
    if kind is None or (path.suffix == ".gz" and kind is not FileKind.CSV):
        raise TableError(f"{path} isn't named as a table: it must end in {', '.join(SUFFIXES)} or .csv.gz")
    return kind
