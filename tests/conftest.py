"""Fixtures for all tests: a real PostgreSQL server, a fresh database a test, the real data, the command line."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from hypothesis import settings
from typer.testing import CliRunner, Result

from connectome.store.database import Database
from connectome.store.schema.migrate import upgrade
from connectome.store.server.embedded import EmbeddedServer

settings.register_profile("any machine", deadline=None)  # a machine that is busy isn't a bug
settings.load_profile("any machine")

OWN_VARIABLES = ("CONNECTOME_DATABASE_URL", "CONNECTOME_DATA_FOLDER")
DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"


def execute(url: str, *statements: str) -> None:
    """Run statements outside any transaction."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test never touches the database or the data folder of whoever runs it."""
    for variable in OWN_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Where servers keep their files; pytest's own folder it closes to the user that runs them for root."""
    folder = Path(tempfile.mkdtemp(prefix="connectome-tests-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_folder(server_folder: Path, numbers: Iterator[int]) -> Iterator[Path]:
    """A data folder that doesn't exist yet; its server is stopped when the test ends."""
    folder = server_folder / f"test-{next(numbers)}"
    yield folder
    EmbeddedServer(folder / "postgres").stop()


@pytest.fixture(scope="module")
def module_data_folder(server_folder: Path, numbers: Iterator[int]) -> Iterator[Path]:
    """The same for all tests of a file."""
    folder = server_folder / f"module-{next(numbers)}"
    yield folder
    EmbeddedServer(folder / "postgres").stop()


@dataclass(frozen=True)
class DatabaseServer:
    """A running server whose database `connectome` is migrated and serves as the template.

    Attributes:
        url: of that database.
        log: the server's log file.
    """

    url: str
    log: Path

    def url_of(self, name: str) -> str:
        """The URL of another database."""
        return self.url.replace("/connectome?", f"/{name}?")


@pytest.fixture(scope="session")
def embedded_server(server_folder: Path) -> Iterator[DatabaseServer]:
    """An embedded server for the session."""
    server = EmbeddedServer(server_folder / "session" / "postgres")
    upgrade(server.start())
    execute(server.url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # tests needn't survive a power cut
    yield DatabaseServer(url=server.url, log=server.folder / "server.log")
    server.stop()


@pytest.fixture(scope="session")
def database_server(embedded_server: DatabaseServer) -> DatabaseServer:
    """The server of a test's databases; the tests of the store have another one too."""
    return embedded_server


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers for the names of databases and folders."""
    return itertools.count(1)


@pytest.fixture
def empty_database_url(database_server: DatabaseServer, numbers: Iterator[int]) -> Iterator[str]:
    """The URL of a fresh database without any table."""
    yield from _fresh(database_server, f"empty_{next(numbers)}", "template0")


@pytest.fixture
def database_url(database_server: DatabaseServer, numbers: Iterator[int]) -> Iterator[str]:
    """The URL of a fresh database with this version's schema."""
    yield from _fresh(database_server, f"test_{next(numbers)}", "connectome")


def _fresh(server: DatabaseServer, name: str, template: str) -> Iterator[str]:
    administration = server.url_of("postgres")
    execute(administration, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield server.url_of(name)
    execute(administration, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def module_database_url(database_server: EmbeddedServer, numbers: Iterator[int]) -> Iterator[str]:
    """The URL of a database with this version's schema that all tests of a file share: they only read it."""
    yield from _fresh(database_server, f"module_{next(numbers)}", "connectome")


@pytest.fixture
def server_log(database_server: DatabaseServer) -> Path:
    """The log of the server."""
    return database_server.log


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A fresh open database."""
    with Database.open(database_url, tmp_path) as database:
        yield database


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data; without it the test is skipped, and fails if CONNECTOME_TEST_DATA promised it."""
    folder = Path(os.environ.get("CONNECTOME_TEST_DATA", DEFAULT_DATA))
    if not (folder / "ac3.hdf").exists():
        reason = f"no ac3.hdf in {folder}: set CONNECTOME_TEST_DATA to its folder"
        if "CONNECTOME_TEST_DATA" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture
def execute_sql() -> Callable[..., None]:
    """Run statements on the database of a URL: execute_sql(url, *statements)."""
    return execute


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run `connectome ARGUMENTS`; the result has exit_code, stdout and stderr. A bug raises."""
    from connectome.cli.main import app

    runner = CliRunner()

    def run(*arguments: object, stdin: str | None = None, **environment: str) -> Result:
        words = [str(argument) for argument in arguments]
        return runner.invoke(app, words, input=stdin, env=environment, catch_exceptions=False)

    return run
