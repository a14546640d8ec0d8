from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from connectome.store.address import connect
from connectome.store.database import Database
from connectome.store.schema.migrate import configuration, upgrade
from connectome.store.schema.status import HEAD, TABLES
from connectome.store.schema.tables import METADATA

CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"


def test_the_newest_revision_and_the_names_of_all_tables_are_known_without_alembic(database: Database) -> None:
    with database.begin() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    assert script.get_current_head() == HEAD
    assert {revision.revision for revision in script.walk_revisions()} == {f"{n:04}" for n in range(1, int(HEAD) + 1)}
    assert set(METADATA.tables) == set(TABLES)


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_the_migrations_make_the_constraints_and_indexes_of_the_models(
    database: Database, empty_database_url: str
) -> None:
    engine = connect(empty_database_url)
    with database.begin() as migrated, engine.begin() as modelled:
        modelled.exec_driver_sql(migrated.scalar(text("SELECT pg_get_functiondef('nm_cell'::regproc)")))
        METADATA.create_all(modelled)
        for catalog in (CONSTRAINTS, INDEXES):
            wanted = set(modelled.execute(text(catalog)))
            assert len(wanted) > 10
            assert {row for row in migrated.execute(text(catalog)) if "alembic_version" not in row[0]} == wanted
    engine.dispose()


def test_the_migrations_go_down_to_nothing_and_up_again(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert inspect(connection).get_view_names() == []
    engine.dispose()
    assert upgrade(empty_database_url).current == "0019"


def test_every_table_and_column_has_a_comment(database: Database) -> None:
    with database.begin() as connection:
        tables = [*METADATA.tables, *inspect(connection).get_view_names()]
        assert "synapse_best" in tables
        columns = connection.execute(
            text(
                "SELECT table_name || '.' || column_name, col_description(table_name::regclass, ordinal_position::int) "
                "FROM information_schema.columns WHERE table_name = ANY(:tables)"
            ),
            {"tables": tables},
        )
        assert [name for name, comment in columns if not comment] == []
        described = connection.execute(
            text("SELECT t, obj_description(t::regclass) FROM unnest(:tables) t"), {"tables": tables}
        )
        assert [name for name, comment in described if not comment] == []


def test_every_function_has_a_comment(database: Database) -> None:
    query = "SELECT proname, obj_description(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with database.begin() as connection:
        found = dict(map(tuple, connection.execute(text(query))))
    assert len(found) > 5
    assert [name for name, comment in found.items() if not comment] == []
