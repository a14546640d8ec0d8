"""Fixtures of the store's tests: runs and their rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pytest
from debian_server import NoServerError, debian_server
from sqlalchemy import Connection

from connectome.geometry import Box
from connectome.records import AssignedSynapses
from connectome.store.database import Database
from connectome.store.findings.building import write_table
from connectome.store.runs.records import NewModel, NewRun, NewVolume, RunRecord
from connectome.store.runs.runs import create_run
from connectome.store.schema.migrate import upgrade
from connectome.store.transfer.copying import copy_columns


@pytest.fixture(scope="session", params=["embedded", "debian"])
def database_server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Any]:
    """Every test of the store runs on both: the embedded server, and Debian's PostgreSQL."""
    embedded = request.getfixturevalue("embedded_server")
    if request.param == "embedded":
        yield embedded
        return
    folder = server_folder / "debian"
    try:
        with debian_server(folder) as url:
            execute_all(url, "CREATE DATABASE connectome")
            made = url.replace("/postgres?", "/connectome?")
            upgrade(made)
            yield replace(embedded, url=made, log=folder / "server.log")
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def execute_all(url: str, *statements: str) -> None:
    """Run statements outside any transaction."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture
def new_run() -> Callable[[str], NewRun]:
    """Makes the description of a run; runs differ by name only."""

    def make(name: str) -> NewRun:
        grid = {"shape": (10, 20, 30), "resolution_nm": (30.0, 12.0, 12.0), "offset_nm": (0.0, 1.5, 0.0)}
        return NewRun(
            name=name,
            image=NewVolume(url="/data/raw.zarr", dtype="uint8", **grid),
            segmentation=NewVolume(url="/data/segmentation.zarr", dtype="uint64", **grid),
            detector=NewModel(name="detector", sha256="a" * 64, method="mask", config={"widths": [4, 8]}),
            assigner=NewModel(name="assigner", sha256="b" * 64, method="avan"),
            parameters={"threshold": 0.5, "block_shape": [8, 8, 8]},
            box=Box((0, 1, 2), (10, 20, 30)),
            folder=Path("/data/runs") / name,
        )

    return make


@pytest.fixture
def run(database: Database, new_run: Callable[[str], NewRun]) -> RunRecord:
    """A run without rows."""
    return create_run(database, new_run("first"))


@pytest.fixture
def write_clefts() -> Callable[[Connection, int, list[int]], None]:
    """Writes clefts of 100 voxels and cleft_id nm along every axis; every third has no partners."""

    def write(connection: Connection, run_id: int, cleft_ids: list[int]) -> None:
        ids = np.array(cleft_ids, np.uint64)
        nm = {f"{prefix}{axis}_nm": ids for prefix in ("", "start_", "stop_") for axis in "xyz"}
        centre = {f"centre_{axis}": ids % 1000 for axis in "zyx"}
        state = np.where(ids % 3 == 0, "no_partners", "assigned")
        values = {"block_id": 0, "size_voxels": 100, "mean_score": 0.5, "max_score": 1.0, "state": state}
        copy_columns(connection, "cleft", {"run_id": run_id, "cleft_id": ids, **nm, **centre, **values})

    return write


@pytest.fixture
def write_synapses() -> Callable[[Connection, int, list[tuple[int, int, int, float]]], None]:
    """Writes synapses from (cleft, pre, post, confidence)."""

    def write(connection: Connection, run_id: int, rows: list[tuple[int, int, int, float]]) -> None:
        cleft_ids, pre, post, confidence = zip(*rows, strict=True)
        ones = np.ones((len(rows), 3))
        synapses = AssignedSynapses(
            cleft_id=np.array(cleft_ids, np.uint64),
            pre_segment_id=np.array(pre, np.uint64),
            post_segment_id=np.array(post, np.uint64),
            confidence=np.array(confidence),
            size_voxels=np.full(len(rows), 100),
            centroid_nm=ones,
            pre_score=np.full(len(rows), 0.9),
            post_score=np.full(len(rows), 0.8),
            pre_point_nm=ones,
            post_point_nm=ones,
        )
        write_table(connection, run_id, synapses)

    return write
