from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command

from connectome.errors import DatabaseError, SchemaError
from connectome.store.address import connect
from connectome.store.schema.migrate import configuration, upgrade
from connectome.store.schema.status import SchemaState, schema_status


def test_an_empty_database_is_upgraded_to_the_newest_schema(empty_database_url: str) -> None:
    assert schema_status(empty_database_url).state is SchemaState.EMPTY
    assert upgrade(empty_database_url).state is SchemaState.CURRENT


def test_an_older_schema_is_told_and_upgraded(database_url: str) -> None:
    engine = connect(database_url)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "-1")
    engine.dispose()
    status = schema_status(database_url)
    assert status.state is SchemaState.OLDER
    with pytest.raises(SchemaError, match=r"older than this version .* run connectome db upgrade"):
        status.require_current()
    assert upgrade(database_url).state is SchemaState.CURRENT


def test_an_unknown_revision_is_a_newer_schema_and_is_left_alone(
    database_url: str, execute_sql: Callable[..., None]
) -> None:
    execute_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert schema_status(database_url).state is SchemaState.NEWER
    with pytest.raises(SchemaError, match=r"9999.*newer than this version"):
        upgrade(database_url)
    assert schema_status(database_url).current == "9999"


def test_tables_of_the_same_names_without_a_revision_are_refused(
    empty_database_url: str, execute_sql: Callable[..., None]
) -> None:
    execute_sql(empty_database_url, "CREATE TABLE run (number integer)")
    with pytest.raises(SchemaError, match="another program made them"):
        upgrade(empty_database_url)


def test_a_failing_migration_leaves_nothing_behind(empty_database_url: str, execute_sql: Callable[..., None]) -> None:
    execute_sql(empty_database_url, "CREATE SEQUENCE duplicate")
    with pytest.raises(DatabaseError, match='relation "duplicate" already exists'):
        upgrade(empty_database_url)
    assert schema_status(empty_database_url).state is SchemaState.EMPTY


def test_processes_that_upgrade_at_once_do_not_collide(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        states = [status.state for status in pool.map(upgrade, [empty_database_url] * 4)]
    assert states == [SchemaState.CURRENT] * 4
