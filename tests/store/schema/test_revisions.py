from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from old_rows import LARGE, ROWS_OF_REVISION
from sqlalchemy import Connection, text

from connectome.store.address import connect
from connectome.store.schema.migrate import configuration

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname <> 'alembic_version' ORDER BY 1
"""
NEWER = {
    "model": "{method}",
    "run": "{kind,data_set_id,content}",
    "roots": "{data_set_id}",
    "annotation": "{data_set_id}",
    "edge": "{unscored_count}",
    "root_edge": "{unscored_count}",
    "synapse": "{number,source_id,pre_supervoxel_id,post_supervoxel_id}",
    "block": "{state,attempts,error,worker}",
}
EDGE = "run_id, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence"
EDGES = [(1, LARGE, 7, 3, 600, 0.5), (1, LARGE, 8, 1, 400, 1.0)]

OTHER = (
    "INSERT INTO run (kind, name, state, parameters, code_version) VALUES ('import', 'other', 'finished', '{}', '0.1')"
)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def contents(connection: Connection, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows as JSON, without the columns that later revisions add."""
    found = {}
    for table in tables:
        newer = NEWER.get(table, "{}")
        found[table] = rows(connection, f"SELECT (to_jsonb(t) - '{newer}'::text[])::text FROM {table} AS t ORDER BY 1")
    return found


@pytest.mark.parametrize("revision", sorted(ROWS_OF_REVISION))
def test_a_database_of_every_earlier_revision_upgrades_without_loss_and_goes_back(
    empty_database_url: str, execute_sql: Callable[..., None], revision: str
) -> None:
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), revision)
    execute_sql(empty_database_url, ROWS_OF_REVISION[revision])
    with engine.begin() as connection:
        tables = [table for (table,) in rows(connection, TABLES)]
        before = contents(connection, tables)
        assert all(before.values())
        command.upgrade(configuration(connection), "head")
        assert contents(connection, tables) == before
        assert rows(connection, "SELECT role, method FROM model ORDER BY 1") == [
            ("assigner", "avan"),
            ("detector", "mask"),
        ]
        if "synapse" in tables:
            assert rows(connection, f"SELECT {EDGE} FROM edge ORDER BY 3") == EDGES  # the running run has none yet
            partitions = rows(connection, "SELECT to_regclass('synapse_1')::text, to_regclass('root_edge_2')::text")
            assert partitions == [("synapse_1", "root_edge_2")]
            with connection.begin_nested() as savepoint:  # the rules of partitions change with those of their tables
                connection.execute(text("UPDATE cleft SET state = 'duplicate'"))
                savepoint.rollback()
        command.downgrade(configuration(connection), revision)
        assert contents(connection, tables) == before
    engine.dispose()


def test_what_shared_ids_before_stays_one_data_set_and_what_shared_nothing_is_told_apart(
    empty_database_url: str, execute_sql: Callable[..., None]
) -> None:
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0016")
    execute_sql(empty_database_url, ROWS_OF_REVISION["0012"], OTHER)
    of_runs = "SELECT r.name, d.name FROM run r JOIN data_set d USING (data_set_id) ORDER BY 1"
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "head")
        assert rows(connection, of_runs) == [("first", "main"), ("other", "main"), ("second", "main")]
        for table in ("annotation", "roots"):
            found = f"SELECT d.name FROM {table} JOIN data_set d USING (data_set_id)"
            assert rows(connection, found) == [("main",)]
        command.downgrade(configuration(connection), "0016")
        for table in ("annotation", "roots WHERE roots_id <> 0"):
            connection.execute(text(f"DELETE FROM {table}"))
        command.upgrade(configuration(connection), "head")
        assert rows(connection, of_runs) == [("first", "/x.zarr"), ("other", "other"), ("second", "/x.zarr")]
    engine.dispose()


def test_confidence_that_is_unknown_counts_as_1_in_earlier_revisions(
    empty_database_url: str, execute_sql: Callable[..., None]
) -> None:
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0016")
    execute_sql(empty_database_url, ROWS_OF_REVISION["0012"])
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "head")
        connection.execute(text("UPDATE synapse SET confidence = NULL WHERE cleft_id = 3"))
        connection.execute(text("UPDATE edge SET unscored_count = 1, mean_confidence = 0.4 WHERE synapse_count = 3"))
        command.downgrade(configuration(connection), "0016")
        assert rows(connection, "SELECT DISTINCT confidence FROM synapse WHERE cleft_id = 3") == [(1.0,)]
        found = rows(connection, "SELECT mean_confidence FROM edge WHERE synapse_count = 3")
        assert found == [(pytest.approx((0.4 * 2 + 1) / 3),)]
    engine.dispose()
