"""SQL that the migrations share for tables partitioned by run. Never change it: new functions go into a new file.

Each large table is LIST-partitioned by run_id. The partition of run 7 of the table `synapse` is the table `synapse_7`.
A build attaches its empty partitions when its run is created; an import fills unattached ones first, without indexes.
Foreign keys lie between the partitions of one run: `synapse_7` can only refer to `cleft_7`, and is checked against it
alone.
"""

from __future__ import annotations

from alembic import op

STAGE = """
CREATE FUNCTION stage_partitions(of_run integer, tables text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE parent text;
BEGIN
    FOREACH parent IN ARRAY tables LOOP
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)',
                       parent || '_' || of_run, parent);
    END LOOP;
END $$
"""
ATTACH = """
CREATE FUNCTION attach_partitions(of_run integer, tables text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE parent text; key record;
BEGIN
    PERFORM FROM run WHERE run_id = of_run FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING MESSAGE = format('there is no run %s', of_run);
    END IF;
    FOREACH parent IN ARRAY tables LOOP
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)',
                       parent, parent || '_' || of_run, of_run);
        FOR key IN SELECT * FROM partition_references() WHERE referencing = parent LOOP
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%s) REFERENCES %I (%s) ON DELETE CASCADE',
                           parent || '_' || of_run, 'fk_' || parent || '_' || of_run || '_' || key.name, key.columns,
                           key.referenced || '_' || of_run, key.referenced_columns);
        END LOOP;
    END LOOP;
END $$
"""
DROP = """
CREATE FUNCTION drop_partitions(of_run integer, tables text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT 'DROP TABLE IF EXISTS '
                    || string_agg(quote_ident(parent || '_' || of_run), ', ' ORDER BY place DESC)
             FROM unnest(tables) WITH ORDINALITY AS listed (parent, place));
END $$
"""
BEFORE_DELETE = """
CREATE FUNCTION drop_partitions_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM drop_partitions(OLD.run_id, partitioned_tables());
    RETURN OLD;
END $$
"""
TRIGGER = """
CREATE TRIGGER drop_partitions BEFORE DELETE ON run FOR EACH ROW EXECUTE FUNCTION drop_partitions_of_run()
"""
COMMENTS = {
    "stage_partitions(integer, text[])": "Makes the partitions of a run, not yet attached and without indexes",
    "attach_partitions(integer, text[])": "Attaches the partitions of a run: indexes and foreign keys are made here",
    "drop_partitions(integer, text[])": "Drops the partitions of a run",
    "drop_partitions_of_run()": "Drops the partitions of a run that is deleted",
}
Reference = tuple[str, str, str, str, str]


def create_functions() -> None:
    """Create what makes, attaches and drops the partitions of a run."""
    for statement in (STAGE, ATTACH, DROP, BEFORE_DELETE, TRIGGER):
        op.execute(statement)
    for function, comment in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {function} IS '{comment}'")
    op.execute("COMMENT ON TRIGGER drop_partitions ON run IS 'A run goes with all its partitions'")


def drop_functions() -> None:
    """Drop them all."""
    op.execute("DROP TRIGGER drop_partitions ON run")
    for function in (*reversed(COMMENTS), "partition_references()", "partitioned_tables()"):
        op.execute(f"DROP FUNCTION {function}")


def define(tables: tuple[str, ...], references: tuple[Reference, ...]) -> None:
    """Say which tables are partitioned and how their partitions refer to each other.

    Args:
        tables: referenced ones first.
        references: (name, referencing table, its columns, referenced table, its columns).
    """
    names = ", ".join(f"'{table}'" for table in tables)
    op.execute(
        f"CREATE OR REPLACE FUNCTION partitioned_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$ "
        f"SELECT ARRAY[{names}] $$"
    )
    rows = ", ".join("(" + ", ".join(f"'{text}'" for text in reference) + ")" for reference in references)
    op.execute(
        "CREATE OR REPLACE FUNCTION partition_references() RETURNS TABLE (name text, referencing text, columns text, "
        f"referenced text, referenced_columns text) LANGUAGE sql IMMUTABLE AS $$ VALUES {rows} $$"
    )
    op.execute("COMMENT ON FUNCTION partitioned_tables() IS 'The tables that are partitioned by run, referenced first'")
    op.execute("COMMENT ON FUNCTION partition_references() IS 'Foreign keys between the partitions of one run'")


def stage_and_attach(tables: tuple[str, ...]) -> None:
    """Give all runs there are empty partitions of new tables."""
    names = ", ".join(f"'{table}'" for table in tables)
    for step in ("stage", "attach"):
        op.execute(f"SELECT {step}_partitions(run_id, ARRAY[{names}]) FROM run")


def drop_all(tables: tuple[str, ...]) -> None:
    """Drop partitioned tables with their partitions, referencing ones first."""
    for table in reversed(tables):
        op.drop_table(table)


def set_aside(table: str) -> None:
    """Rename a table to kept_TABLE, and drop its keys and indexes, so that their names are free."""
    op.execute(
        f"""
        DO $$ DECLARE one record; BEGIN
            FOR one IN SELECT conname FROM pg_constraint
                       WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u', 'f') AND conparentid = 0 LOOP
                EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I CASCADE', one.conname);
            END LOOP;
            FOR one IN SELECT indexrelid::regclass::text AS name FROM pg_index
                       WHERE indrelid = '{table}'::regclass LOOP
                EXECUTE 'DROP INDEX ' || one.name;
            END LOOP;
            FOR one IN SELECT conname FROM pg_constraint
                       WHERE conrelid = '{table}'::regclass AND contype = 'n' LOOP  -- they have names since version 18
                EXECUTE format('ALTER TABLE {table} RENAME CONSTRAINT %I TO %I', one.conname, 'kept_' || one.conname);
            END LOOP;
            ALTER TABLE {table} RENAME TO kept_{table};
        END $$
        """
    )
