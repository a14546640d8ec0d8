from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from old_rows import LARGE, ROWS_OF_REVISION
from sqlalchemy import Connection, text

from connectome.store.address import connect
from connectome.store.migrate import configuration

COUNTED = ("volume", "model", "run", "block", "fragment", "fragment_cleft", "cleft", "candidate", "synapse")
EDGES = [(1, LARGE, 7, 3, 600, 0.5), (1, LARGE, 8, 1, 400, 1.0)]


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def contents(connection: Connection, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows as JSON, without the columns that the newest revision adds."""
    return {
        table: rows(connection, f"SELECT (to_jsonb(t) - 'method')::text FROM {table} AS t ORDER BY 1")
        for table in tables
    }


@pytest.mark.parametrize("revision", sorted(ROWS_OF_REVISION))
def test_a_database_of_every_earlier_revision_upgrades_without_loss_and_goes_back(
    empty_database_url: str, execute_sql: Callable[..., None], revision: str
) -> None:
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), revision)
    execute_sql(empty_database_url, ROWS_OF_REVISION[revision])
    with engine.begin() as connection:
        tables = [table for table in COUNTED if rows(connection, f"SELECT to_regclass('{table}')") != [(None,)]]
        before = contents(connection, tables)
        assert all(before.values())
        command.upgrade(configuration(connection), "head")
        assert contents(connection, tables) == before
        assert rows(connection, "SELECT role, method FROM model ORDER BY 1") == [
            ("assigner", "avan"), ("detector", "mask"),
        ]  # fmt: skip
        if "synapse" in tables:
            assert rows(connection, "SELECT * FROM edge WHERE run_id = 1 ORDER BY 3") == EDGES
        command.downgrade(configuration(connection), revision)
        assert contents(connection, tables) == before
    engine.dispose()
