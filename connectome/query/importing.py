"""Tables to runs: synapses that others found become a run that every query, graph and export works on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from connectome.errors import ConfigError, DatabaseError, TableError
from connectome.records import CleftState, NoProgress, Progress
from connectome.store.database import Database
from connectome.store.findings.imports import RunLoading, import_run
from connectome.store.findings.neuprint_staging import NeuprintStaging, Staged
from connectome.store.repeated_keys import repeated_key
from connectome.store.runs.records import NewImport, check_run_name
from connectome.tables.kinds import Columns
from connectome.tables.loading import RowMaker
from connectome.tables.neuprint import NeuprintReader
from connectome.tables.synapse_reading import SynapseReader, UnitNm
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
        partners: neuPrint's second table.
        unit_nm: nm a unit of positions (z, y, x).
    """

    path: Path
    columns: Columns
    name: str
    data_set: str | None = None
    partners: Path | None = None
    unit_nm: UnitNm = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse a second table where there is none, and its absence where there is.

        Raises:
            ConfigError: `partners` doesn't go with `columns`, or the name isn't a run's.
        """
        check_run_name(self.name)
        if (self.columns is Columns.NEUPRINT) != (self.partners is not None):
            raise ConfigError("neuPrint's tables are two, and only those: give --partners FILE with --from neuprint")


@dataclass(kw_only=True)
class ImportReport:
    """What came of an import.

    Attributes:
        synapses, clefts: rows taken in.
        without_partner, retired: rows left out as a partner is missing, or as the table marks them as no longer valid.
        scores_outside: scores that aren't from 0 to 1, and so count as unknown.
        dropped_columns: what the table says that has no place here.
    """

    name: str
    synapses: int = 0
    clefts: int = 0
    without_partner: int = 0
    retired: int = 0
    scores_outside: int = 0
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
        "files": [{"path": str(path.absolute()), "sha256": _sha256(path)} for path in files],
        "unit_nm": list(request.unit_nm),
    }
    report = ImportReport(name=request.name)
    try:
        with import_run(
            database, NewImport(name=request.name, parameters=parameters, data_set=request.data_set)
        ) as loading:
            shown.start("import", 0, unit="synapses")
            if request.partners is None:
                _load(loading, request, report, shown)
            else:
                _load_neuprint(loading, request, report, shown)
            if report.synapses == 0:
                raise TableError(f"{request.path} has no synapse with both partners: nothing was imported")
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
    reader = SynapseReader(path=request.path, columns=request.columns, unit_nm=request.unit_nm)
    rows = RowMaker()
    for batch in reader.batches():
        if batch.num_rows == 0:
            continue
        clefts, synapses = rows.rows(batch)
        loading.write("cleft", {**clefts, "block_id": 0, "state": CleftState.ASSIGNED.value})
        loading.write("synapse", synapses)
        progress.advance(batch.num_rows)
    report.clefts = rows.clefts
    report.synapses, report.without_partner, report.retired = reader.rows, reader.without_partner, reader.retired
    report.scores_outside, report.dropped_columns = reader.scores_outside, reader.dropped_columns


def _load_neuprint(loading: RunLoading, request: ImportRequest, report: ImportReport, progress: Progress) -> None:
    assert request.partners is not None
    reader = NeuprintReader(points=request.path, partners=request.partners, unit_nm=request.unit_nm)
    staging = NeuprintStaging(loading)
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


def _sha256(path: Path) -> str:
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
