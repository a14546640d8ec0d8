from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, text

from connectome.errors import DatabaseError, SchemaError
from connectome.store.database import Database
from connectome.store.schema.tables import VolumeTable


def test_an_empty_database_is_refused_unless_it_may_be_created(empty_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="run connectome db upgrade"):
        Database.open(empty_database_url, tmp_path)
    with Database.open(empty_database_url, tmp_path, create=True) as database:
        assert len(database.columns("SELECT run_id FROM run")["run_id"]) == 0


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(("revision", "relation"), [("0002", "older"), ("ffff", "newer")])
def test_an_older_or_newer_schema_is_always_refused(
    database_url: str, tmp_path: Path, execute_sql: Callable[..., None], revision: str, relation: str, create: bool
) -> None:
    execute_sql(database_url, f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(SchemaError, match=f"\\({revision}\\) is {relation} than this version"):
        Database.open(database_url, tmp_path, create=create)


def test_the_embedded_server_is_created_only_on_request_and_found_again(data_folder: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no database in .* yet"):
        Database.open(None, data_folder)
    assert not data_folder.exists()
    with Database.open(None, data_folder, create=True) as made, Database.open(None, data_folder) as found:
        assert made.url == found.url


def test_the_environment_names_the_database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOME_DATABASE_URL", database_url)
    with Database.open(None, tmp_path) as database:
        assert database.url == database_url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_usual_forms_of_the_url_become_the_one_that_psql_reads(database_url: str, tmp_path: Path, scheme: str) -> None:
    with Database.open(database_url.replace("postgresql", scheme, 1), tmp_path) as database:
        assert database.url == database_url


def test_an_unreachable_database_is_told_in_one_line_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        Database.open("postgresql://reader:secret@127.0.0.1:1/brain", tmp_path)
    message = str(caught.value)
    assert message.startswith("can't reach the database brain at 127.0.0.1:1: ")
    assert "\n" not in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d", "/a/path", "://"]
)
def test_what_is_no_postgresql_url_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseError, match="isn't of the form postgresql://") as caught:
        Database.open(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_an_error_rolls_the_whole_transaction_back(database: Database, execute_sql: Callable[..., None]) -> None:
    execute_sql(database.url, "CREATE TABLE kept (number integer PRIMARY KEY)")
    with pytest.raises(DatabaseError, match="the database refused: duplicate key"), database.begin() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1), (2)"))
        connection.execute(text("INSERT INTO kept VALUES (1)"))
    assert database.columns("SELECT * FROM kept")["number"].size == 0


def test_columns_have_the_types_of_the_query(database: Database) -> None:
    found = database.columns(
        "SELECT 9223372036854775807 AS large, 1::integer AS whole, 2::smallint AS small, 1.5::real AS single, "
        "0.1::double precision AS double, true AS yes FROM generate_series(1, :count)",
        {"count": np.int64(3)},
    )
    assert {name: str(column.dtype) for name, column in found.items()} == {
        "large": "int64",
        "whole": "int32",
        "small": "int16",
        "single": "float32",
        "double": "float64",
        "yes": "bool",
    }
    assert {name: column.tolist()[2] for name, column in found.items()} == {
        "large": 2**63 - 1,
        "whole": 1,
        "small": 2,
        "single": 1.5,
        "double": 0.1,
        "yes": True,
    }


def test_columns_with_nulls_or_text_come_as_objects(database: Database) -> None:
    query = "SELECT number, nullif(number, 2) AS gap, 'a%' AS label FROM generate_series(1, 3) AS number"
    found = database.columns(query)
    assert found["number"].dtype == np.int32
    assert found["gap"].tolist() == [1, None, 3]
    assert found["label"].tolist() == ["a%", "a%", "a%"]
    assert database.columns("SELECT nullif(1, 1) AS gap")["gap"].tolist() == [None]


def test_columns_of_no_rows_keep_their_types(database: Database) -> None:
    found = database.columns(select(VolumeTable.shape_z, VolumeTable.url).where(VolumeTable.url.in_(["a'b", "c%d"])))
    assert found["shape_z"].dtype == np.int64
    assert {len(column) for column in found.values()} == {0}
