"""The options that every query takes: what to look at, how to print it, and where the database is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption
from connectome.cli.options.groups import shared_options
from connectome.cli.output.rows import Format, print_rows, say
from connectome.errors import ConfigError
from connectome.selection import Filter, NmBox
from connectome.tables.kinds import FileKind

if TYPE_CHECKING:
    from connectome.query.connectome import Connectome
    from connectome.query.questions import Questions, RowQuestions
    from connectome.store.queries.streaming import SqlResult
    from connectome.tables.results import Table


class QueryFormat(StrEnum):
    """How the answer of a query is given."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


LatestRunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="NAME", show_default=False, help="The run. Default: the one that finished last."),
]
RootsOption = Annotated[
    str | None,
    typer.Option(
        "--roots", metavar="VERSION", show_default=False, help="Neurons after proofreading. Default: the segments."
    ),
]
MinSynapsesOption = Annotated[
    int, typer.Option("--min-synapses", metavar="N", help="Leave out edges of fewer synapses.")
]
MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--min-confidence", metavar="0..1", show_default=False, help="Leave out synapses of a lower confidence."
    ),
]
MinSizeOption = Annotated[
    int | None,
    typer.Option("--min-size", metavar="VOXELS", show_default=False, help="Leave out synapses of smaller clefts."),
]
MaxSizeOption = Annotated[
    int | None,
    typer.Option("--max-size", metavar="VOXELS", show_default=False, help="Leave out synapses of larger clefts."),
]
BoxNmOption = Annotated[
    str | None,
    typer.Option("--box-nm", metavar="z0:z1,y0:y1,x0:x1", show_default=False, help="Only synapses in this box, in nm."),
]
PreTypeOption = Annotated[
    str | None,
    typer.Option("--pre-type", metavar="TYPE", show_default=False, help="Only edges from neurons of this type."),
]
PostTypeOption = Annotated[
    str | None,
    typer.Option("--post-type", metavar="TYPE", show_default=False, help="Only edges to neurons of this type."),
]
FormatOption = Annotated[QueryFormat, typer.Option("--format", help="How to give the answer.")]
LONGEST_S = 2_147_483.0  # what PostgreSQL's limit can hold


def _seconds(value: float) -> float:
    """Refuse what the range lets through: a limit that is no number."""
    if not value <= LONGEST_S:
        raise typer.BadParameter(f"{value} isn't a number of seconds up to {LONGEST_S:.0f}")
    return value


TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.001, callback=_seconds, help="Give up after so many seconds.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Where --format parquet goes."),
]


@dataclass(frozen=True, kw_only=True)
class Selecting:
    """What the options of a filter say, and where the database is."""

    where: Filter
    database_url: str | None
    data_folder: Path


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What the shared options of a query say.

    Attributes:
        selecting: what to look at, and where the database is.
        output_format, output: how to give the answer, and the file of Parquet.
        timeout_s: the longest that the database may take.
    """

    selecting: Selecting
    output_format: QueryFormat
    output: Path | None
    timeout_s: float

    @property
    def where(self) -> Filter:
        """What to look at."""
        return self.selecting.where

    def answer(self, question: Callable[[Questions[Any]], Any]) -> None:
        """Open the connectome, ask, and print or write the answer.

        Raises:
            ConfigError: Parquet without a file, or a file without Parquet.
        """
        if self.output_format is QueryFormat.PARQUET and self.output is None:
            raise ConfigError("--format parquet is written to a file: give --output FILE")
        if self.output is not None and self.output_format is not QueryFormat.PARQUET:
            raise ConfigError("--output is for --format parquet: send what is printed to a file with >")
        if self.output is None:
            self._print(question)
        else:
            self._write(question, self.output)

    def _print(self, question: Callable[[RowQuestions], AbstractContextManager[SqlResult]]) -> None:
        from connectome.query.questions import RowQuestions

        chosen = self.selecting
        with (
            RowQuestions.open(
                chosen.database_url, chosen.data_folder, timeout_s=self.timeout_s, tell=say
            ) as connectome,
            question(connectome) as answer,
        ):
            print_rows(answer.columns, answer.rows, Format(self.output_format.value))

    def _write(self, question: Callable[[Connectome], Table], file: Path) -> None:
        from connectome.query.connectome import Connectome
        from connectome.tables.writing import write_table

        chosen = self.selecting
        with Connectome.open(chosen.database_url, chosen.data_folder, timeout_s=self.timeout_s, tell=say) as connectome:
            table = question(connectome)
        write_table(file, FileKind.PARQUET, table)


def _selecting(
    run: LatestRunOption = None,
    roots: RootsOption = None,
    min_synapses: MinSynapsesOption = 1,
    min_confidence: MinConfidenceOption = None,
    min_size: MinSizeOption = None,
    max_size: MaxSizeOption = None,
    box_nm: BoxNmOption = None,
    pre_type: PreTypeOption = None,
    post_type: PostTypeOption = None,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> Selecting:
    """The options that `selects` gives to a command."""
    where = Filter(
        run=run,
        roots=roots,
        min_synapses=min_synapses,
        min_confidence=min_confidence,
        min_size=min_size,
        max_size=max_size,
        box_nm=None if box_nm is None else NmBox.parse(box_nm),
        pre_type=pre_type,
        post_type=post_type,
    )
    return Selecting(where=where, database_url=database_url, data_folder=data_folder)


selects = shared_options(_selecting, "selecting")


@selects
def _asking(
    selecting: Selecting,
    output_format: FormatOption = QueryFormat.TABLE,
    output: OutputOption = None,
    timeout: TimeoutOption = 60.0,
) -> Asking:
    """The options that `asks` gives to a command."""
    return Asking(selecting=selecting, output_format=output_format, output=output, timeout_s=timeout)


asks = shared_options(_asking, "asking")
