"""Tables to runs: synapses that others found become a run that every query, graph and export works on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import ConfigError, DatabaseError, TableError
from connectome.records import CleftState, NoProgress, Progress
from connectome.store.address import repeated_key
from connectome.store.database import Database
from connectome.store.findings.imports import RunLoading, count_unscored, import_run
from connectome.store.findings.neuprint_staging import PAIR_COLUMNS, NeuprintStaging, Staged
from connectome.store.runs.records import NewImport, check_run_name
from connectome.tables.kinds import Columns
from connectome.tables.loading import RowMaker
from connectome.tables.neuprint import NeuprintReader
from connectome.tables.positions import UnitNm
from connectome.tables.synapse_reading import SynapseReader
from connectome.tables.writing import csv_lines

HASHED_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """A table to take in.

    Attributes:
        path: the file; neuPrint's points.
        columns: whose columns it has.
        name: the run's name.
        data_set: what its ids belong to; None: a data set of its own, named like the run.
        partners: neuPrint's second table; None: `path` holds a row a synapse.
        unit_nm: nm a unit of positions (z, y, x); None: not told.
        renamed: columns of the table under names of its own, and the column of this project that each one is.
    """

    path: Path
    columns: Columns
    name: str
    data_set: str | None = None
    partners: Path | None = None
    unit_nm: UnitNm | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a second table where there is none.

        Raises:
            ConfigError: `partners` or `renamed` doesn't go with the rest, or the name isn't a run's.
        """
        check_run_name(self.name)
        if self.partners is not None and (self.columns is not Columns.NEUPRINT or self.renamed):
            raise ConfigError(
                "a second table of partners belongs to neuPrint's points alone, and these have columns of fixed names"
            )


@dataclass(kw_only=True)
class ImportReport:
    """The report of an import.

    Attributes:
        synapses, clefts: rows taken in.
        without_partner, retired: rows left out as a partner is missing, or as the table marks them as no longer valid.
        scores_outside: scores that aren't from 0 to 1, and so count as unknown.
        unscored: synapses taken in that have no confidence.
        unit_taken: whether positions were taken as nm though neither the table nor the request says so.
        dropped_columns: what the table says that has no place here.
    """

    name: str
    data_set: str
    synapses: int = 0
    clefts: int = 0
    without_partner: int = 0
    retired: int = 0
    scores_outside: int = 0
    unscored: int = 0
    unit_taken: bool = False
    dropped_columns: list[str] = field(default_factory=list)


def import_synapses(database: Database, request: ImportRequest, progress: Progress | None = None) -> ImportReport:
    """Make a finished run of a table, in one transaction: an error leaves nothing behind.

    Raises:
        TableError, SegmentIdError: a file can't be read, lacks a column, or holds what a column can't.
        RunConflictError: a run of this name exists.
    """
    shown = progress or NoProgress()
    files = [path for path in (request.path, request.partners) if path is not None]
    parameters = {
        "columns": request.columns.value,
        "files": [{"path": str(path.absolute()), "sha256": file_sha256(path)} for path in files],
        "unit_nm": None if request.unit_nm is None else list(request.unit_nm),
        "renamed": dict(request.renamed),
    }
    report = ImportReport(name=request.name, data_set=request.data_set or request.name)
    try:
        with import_run(
            database, NewImport(name=request.name, parameters=parameters, data_set=request.data_set)
        ) as loading:
            shown.start("import", 0, unit="synapses")
            if request.columns is not Columns.NEUPRINT:
                _load(loading, request, report, shown)
            else:
                _load_neuprint(loading, request, report, shown)
            if report.synapses == 0:
                raise TableError(f"{request.path} has no synapse with both partners: nothing was imported")
            report.unscored = count_unscored(loading)
    except DatabaseError as error:
        cleft = repeated_key(error, "cleft_id")
        if cleft is None:
            raise
        raise TableError(
            f"{request.path} has cleft {cleft} in several places: sort the table by its ids, and leave out doubles"
        ) from error
    shown.finish()
    return report


def _load(loading: RunLoading, request: ImportRequest, report: ImportReport, progress: Progress) -> None:
    reader = _reader(request)
    rows = RowMaker()
    for batch in reader.batches():
        if batch.num_rows == 0:
            continue
        clefts, synapses = rows.rows(batch)
        loading.write("cleft", {**clefts, "block_id": 0, "state": CleftState.ASSIGNED.value})
        loading.write("synapse", synapses)
        progress.advance(batch.num_rows)
    report.clefts, report.synapses = rows.clefts, reader.rows
    _report_reading(reader, report)


def _load_neuprint(loading: RunLoading, request: ImportRequest, report: ImportReport, progress: Progress) -> None:
    """NeuPrint's tables, whose synapses of a T-bar needn't follow one another: PostgreSQL puts them together."""
    staging = NeuprintStaging(loading)
    if request.partners is None:
        flat = _reader(request)
        for batch in flat.batches():
            staging.write(Staged.PAIR, csv_lines(batch.select(PAIR_COLUMNS)))
            progress.advance(batch.num_rows)
        report.clefts, report.synapses, _ = staging.join()
        _report_reading(flat, report)
        return
    unit_nm = request.unit_nm or (1.0, 1.0, 1.0)
    reader = NeuprintReader(points=request.path, partners=request.partners, unit_nm=unit_nm)
    for batch in reader.point_batches():
        staging.write(Staged.POINT, csv_lines(batch))
    for batch in reader.partner_batches():
        staging.write(Staged.PARTNER, csv_lines(batch))
        progress.advance(batch.num_rows)
    twice = staging.repeated_point()
    if twice is not None:
        raise TableError(f"{request.path} has point {twice % 2**64} twice: every point has an id of its own")
    report.clefts, report.synapses, report.without_partner = staging.join()
    report.scores_outside, report.dropped_columns = reader.scores_outside, reader.dropped_columns
    report.unit_taken = request.unit_nm is None


def _reader(request: ImportRequest) -> SynapseReader:
    return SynapseReader(path=request.path, columns=request.columns, unit_nm=request.unit_nm, renamed=request.renamed)


def _report_reading(reader: SynapseReader, report: ImportReport) -> None:
    report.without_partner, report.retired = reader.without_partner, reader.retired
    report.scores_outside, report.dropped_columns = reader.scores_outside, reader.dropped_columns
    report.unit_taken = reader.unit_taken


def file_sha256(path: Path) -> str:
    """The checksum of a file.

    Raises:
        TableError: it can't be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(HASHED_BYTES):
                digest.update(block)
    except OSError as error:
        raise TableError(f"{path} can't be read as a table: {error.strerror}") from error
    return digest.hexdigest()
