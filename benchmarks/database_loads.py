"""Loading a generated connectome: as an import, block by block as a build does, and by psql's own copy."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
from database_report import Load
from generated_connectome import GeneratedConnectome

from connectome.geometry import Box
from connectome.store.database import Database
from connectome.store.findings.imports import import_run
from connectome.store.runs.blocks import BlockMark, Stage, mark_done
from connectome.store.runs.records import NewImport, NewModel, NewRun, NewVolume
from connectome.store.runs.runs import create_run, delete_run
from connectome.store.server.postgres import binaries
from connectome.store.transfer.copying import copy_columns

RUN = "generated"
ROWS_A_CHUNK = 500_000
ROWS_A_BLOCK = 20_000


def load(database: Database, made: GeneratedConnectome) -> Load:
    """Load the connectome as an import, the run RUN."""
    began = time.monotonic()
    with import_run(database, NewImport(name=RUN, parameters={"seed": 1})) as loading:
        for clefts, synapses in made.chunks(ROWS_A_CHUNK):
            loading.write("cleft", clefts)
            loading.write("synapse", synapses)
        print(f"rows copied after {time.monotonic() - began:.1f} s; edges, keys and indexes follow", flush=True)
    return _done("import (one transaction, indexes at the end, with edges)", len(made), began)


def load_blocks(database: Database, made: GeneratedConnectome) -> tuple[Load, int]:
    """Load rows as a build does: into indexed tables, a transaction a block; returns the run too."""
    run_id = _empty_run(database, "blocks")
    began = time.monotonic()
    for block_id, (clefts, synapses) in enumerate(made.chunks(ROWS_A_BLOCK)):
        with database.begin() as connection:
            mark_done(connection, run_id, Stage.ASSIGN, [BlockMark(block_id=block_id, voxels=1)])
            copy_columns(connection, "cleft", {**clefts, "run_id": np.int64(run_id)})
            copy_columns(connection, "synapse", {**synapses, "run_id": np.int64(run_id)})
    return _done(f"build ({ROWS_A_BLOCK:,} rows a block and transaction)", len(made), began), run_id


def copy_with_psql(database: Database, run_id: int, folder: Path) -> Load:
    """Load the rows of a run into another run's indexed tables by psql's own copy, and delete them."""
    target = _empty_run(database, f"copied-{run_id}")
    seconds, rows = 0.0, 0
    for table in ("cleft", "synapse"):
        file = folder.absolute() / f"{table}.txt"
        names = database.columns(
            f"SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = '{table}' "
            "ORDER BY ordinal_position"
        )["name"]
        others = ", ".join(name for name in names if name != "run_id")
        _psql(database, f"\\copy (SELECT {target}, {others} FROM {table}_{run_id}) TO '{file}'")
        began = time.monotonic()
        _psql(database, f"\\copy {table}_{target} (run_id, {others}) FROM '{file}'")
        seconds += time.monotonic() - began
        print(f"\\copy {table}: {time.monotonic() - began:.1f} s", flush=True)
        file.unlink()
        rows = int(database.columns(f"SELECT count(*) AS n FROM {table}_{target}")["n"][0])
    delete_run(database, target)
    return Load(name="psql \\copy of the same rows", rows=rows, seconds=seconds)


def _done(name: str, rows: int, began: float) -> Load:
    seconds = time.monotonic() - began
    print(f"{name}: {seconds:.1f} s", flush=True)
    return Load(name=name, rows=rows, seconds=seconds)


def _empty_run(database: Database, name: str) -> int:
    one, zero = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    volume = NewVolume(url="/", dtype="uint8", shape=(1, 1, 1), resolution_nm=one, offset_nm=zero)
    new = NewRun(
        name=name,
        image=volume,
        segmentation=volume,
        detector=NewModel(name="d", sha256="0", method="mask"),
        assigner=None,
        parameters={},
        box=Box.of_shape((1, 1, 1)),
        folder=Path("/"),
    )
    return create_run(database, new).run_id


def _psql(database: Database, command: str) -> None:
    program = shutil.which("psql") or str(binaries() / "psql")
    subprocess.run([program, database.url, "-qX", "-v", "ON_ERROR_STOP=1", "-c", command], check=True)
