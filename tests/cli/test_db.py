from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from typer.testing import Result

from connectome.store.address import connect
from connectome.store.schema.migrate import configuration
from connectome.store.schema.status import HEAD

Cli = Callable[..., Result]


def status(cli: Cli, folder: Path) -> dict[str, str | None]:
    return json.loads(cli("db", "status", "--data-folder", folder, "--json").stdout)


def test_the_server_of_a_data_folder_from_nothing_to_stop(cli: Cli, data_folder: Path) -> None:
    assert status(cli, data_folder)["server"] == "absent"
    assert cli("db", "stop", "--data-folder", data_folder).stdout == "no server was running\n"
    assert not data_folder.exists()
    url = cli("db", "url", "--data-folder", data_folder)
    assert (url.exit_code, url.stderr) == (0, "")
    assert status(cli, data_folder)["schema"] == "empty"
    assert cli("db", "upgrade", "--data-folder", data_folder).stdout == f"schema {HEAD} (current)\n"
    assert status(cli, data_folder)["schema"] == "current"
    assert f"current (revision {HEAD}" in cli("db", "status", "--data-folder", data_folder).stdout
    assert cli("db", "stop", "--data-folder", data_folder).stdout == "stopped\n"
    assert status(cli, data_folder)["server"] == "stopped"
    assert cli("db", "url", "--data-folder", data_folder).stdout == url.stdout


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql isn't installed")
def test_psql_accepts_the_url(cli: Cli, data_folder: Path) -> None:
    url = cli("db", "url", "--data-folder", data_folder).stdout.strip()
    assert subprocess.check_output(["psql", url, "-Atc", "select 1"], text=True) == "1\n"


def test_a_given_url_is_printed_as_psql_reads_it(cli: Cli, database_url: str, tmp_path: Path) -> None:
    given = database_url.replace("postgresql", "postgres", 1)
    assert cli("db", "url", "--database-url", given, "--data-folder", tmp_path / "d").stdout.strip() == database_url
    assert cli("db", "url", CONNECTOME_DATABASE_URL=given).stdout.strip() == database_url
    assert not (tmp_path / "d").exists()


def test_a_password_stays_out_of_command_lines_unless_asked_for(cli: Cli) -> None:
    given = "postgresql://ann:a%40b/c@host:5433/brain?password=x&sslmode=require"
    where = ("--database-url", given)
    assert cli("db", "url", *where).stdout == "postgresql://ann@host:5433/brain?sslmode=require\n"
    assert cli("db", "url", "--with-password", *where).stdout.strip() == given.replace("b/c", "b%2Fc")
    plain = "postgresql:///brain?host=/run/a@b"
    assert cli("db", "url", "--database-url", plain).stdout.strip() == plain


@pytest.mark.parametrize("words", [("db", "status"), ("db", "upgrade"), ("sql", "SELECT 1")])
def test_an_unreachable_database_ends_commands_with_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    result = cli(*words, "--database-url", "postgresql://reader:secret@127.0.0.1:1/brain")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error: can't reach the database brain at 127.0.0.1:1: ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_an_older_schema_is_refused_until_it_is_upgraded(cli: Cli, database_url: str) -> None:
    engine = connect(database_url)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "0002")
    engine.dispose()
    refused = cli("sql", "SELECT 1", "--database-url", database_url)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert f"the database's schema (0002) is older than this version of connectome ({HEAD})" in refused.stderr
    assert refused.stderr.endswith(": run connectome db upgrade\n")
    assert json.loads(cli("db", "status", "--json", "--database-url", database_url).stdout)["schema"] == "older"
    assert cli("db", "upgrade", "--database-url", database_url).exit_code == 0
    assert cli("sql", "SELECT 1", "--database-url", database_url).exit_code == 0


def test_a_login_for_a_reader_is_made_with_a_password_from_a_pipe(
    cli: Cli, database_url: str, execute_sql: Callable[..., None]
) -> None:
    where = ("--database-url", database_url)
    try:
        result = cli("db", "reader", "eve", *where, stdin="secret words\n")
        assert (result.exit_code, result.stdout) == (0, "eve can read the database\n")
        assert cli("db", "reader", "eve", "--no-password", *where).exit_code == 0
        refused = cli("db", "reader", "eve", *where, stdin="")
        assert (refused.exit_code, refused.stderr.count("\n")) == (3, 1)
        as_eve = database_url.replace("//postgres@", "//eve@")
        assert cli("sql", "SELECT current_user", "--database-url", as_eve, "--format", "csv").exit_code == 0
    finally:
        execute_sql(database_url, "DROP ROLE IF EXISTS eve")


@pytest.mark.parametrize("words", [("db", "upgrade"), ("sql", "SELECT 1")])
def test_a_newer_schema_is_refused(
    cli: Cli, database_url: str, execute_sql: Callable[..., None], words: tuple[str, ...]
) -> None:
    execute_sql(database_url, "UPDATE alembic_version SET version_num = 'future'")
    result = cli(*words, "--database-url", database_url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "(future) is newer than this version of connectome" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_written_is_told_in_one_line(cli: Cli) -> None:
    result = cli("db", "url", "--data-folder", "/proc/nowhere")
    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr.startswith("error: the data folder /proc/nowhere can't be used for the database (")
    assert result.stderr.count("\n") == 1
