"""Options that several commands share, and the text of triples and boxes as values."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.database import DEFAULT_DATA_FOLDER
from connectome.errors import ConfigError
from connectome.geometry import Box, NmTriple, Triple
from connectome.pipeline.request import OPTIONS


class Device(StrEnum):
    """Where networks run; `auto` takes a GPU if there is one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


RunOption = Annotated[str, typer.Option("--run", metavar="NAME", help="The run, by the name its build was given.")]
DataSetOption = Annotated[
    str | None,
    typer.Option(
        "--data-set",
        metavar="NAME",
        show_default=False,
        help="The animal or volume that its ids belong to. Default: that of --run, else the oldest of the database.",
    ),
]
RunOfDataSetOption = Annotated[
    str | None,
    typer.Option("--run", metavar="NAME", show_default=False, help="Name the data set by one of its runs."),
]
BoxOption = Annotated[
    str | None,
    typer.Option(
        "--box",
        metavar="z0:z1,y0:y1,x0:x1",
        show_default=False,
        help=OPTIONS["box"].help,
    ),
]
ResolutionOption = Annotated[
    str | None,
    typer.Option("--resolution", metavar="z,y,x", show_default=False, help="Resolution in nm, e.g. 30,12,12."),
]
OffsetOption = Annotated[
    str | None,
    typer.Option("--offset", metavar="z,y,x", show_default=False, help="Corner of the first voxel in nm."),
]
BlockShapeOption = Annotated[
    str | None,
    typer.Option("--block-shape", metavar="z,y,x", show_default=False, help="Voxels of a block, e.g. 64,256,256."),
]


def is_typed(context: typer.Context, parameter: str) -> bool:
    """True if a parameter's value was typed on the command line: not the environment's, not the default."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def where_flags(data_folder: Path, database_url: str | None) -> str:
    """The flags that lead the next command to the same database; a URL isn't shown, it may hold a password."""
    if database_url is not None:
        return " --database-url URL"
    return "" if data_folder == DEFAULT_DATA_FOLDER else f" --data-folder {shlex.quote(str(data_folder))}"


def program() -> str:
    """How this program is called: by its name if a shell would find it, else by its path."""
    return "connectome" if shutil.which("connectome") else shlex.quote(os.path.relpath(sys.argv[0]))


def parse_box(text: str | None) -> Box | None:
    """The box of a `--box` option; None where it isn't given.

    Raises:
        BoxError: the text isn't z0:z1,y0:y1,x0:x1, or the box is empty.
    """
    return None if text is None else Box.parse(text)


def parse_nm(text: str | None, option: str, axes: str = "z,y,x") -> NmTriple | None:
    """Three numbers in nm from text such as '30,12,12', in the order of `axes`; None where it isn't given.

    Raises:
        ConfigError: the text of `option` isn't three finite numbers.
    """
    if text is None:
        return None
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{option} '{text}' isn't three numbers in nm as {axes}: write e.g. 30,12,12") from error
    if not all(math.isfinite(value) for value in (first, second, third)):
        raise ConfigError(f"{option} '{text}' isn't three finite numbers in nm as {axes}: write e.g. 30,12,12")
    return first, second, third


def parse_lengths_nm(text: str | None, option: str) -> NmTriple | None:
    """Three numbers (z, y, x) in nm as `parse_nm` reads them, all greater than 0.

    Raises:
        ConfigError: the text of `option` isn't that.
    """
    lengths = parse_nm(text, option)
    if lengths is not None and min(lengths) <= 0:
        raise ConfigError(f"{option} '{text}' must be greater than 0 nm on every axis: write e.g. 30,12,12")
    return lengths


def parse_shape(text: str | None, option: str) -> Triple | None:
    """Three whole numbers (z, y, x) greater than 0 from text such as '64,256,256'; None where it isn't given.

    Raises:
        ConfigError: the text of `option` isn't three whole numbers greater than 0.
    """
    if text is None:
        return None
    try:
        z, y, x = (int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{option} '{text}' isn't three whole numbers as z,y,x: write e.g. 64,256,256") from error
    if min(z, y, x) < 1:
        raise ConfigError(f"{option} '{text}' must be three whole numbers greater than 0, as z,y,x")
    return z, y, x
