"""Roles that only read, and the way a user's own query runs as one of them.

Revision: 0010, after 0009.

`connectome_reader` is for people: their logins are members. `connectome_sql` owns the functions that run a user's
query: inside a SECURITY DEFINER function PostgreSQL refuses to change the role, by any means, so the query can't leave
it.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A cursor is opened on exactly one statement that returns rows: a second one, COPY, DDL, SET and DO are errors.
DESCRIBE = """
CREATE OR REPLACE FUNCTION describe_query(query text) RETURNS refcursor LANGUAGE plpgsql SECURITY DEFINER AS $function$
DECLARE described refcursor := 'connectome_query';
BEGIN
    OPEN described FOR EXECUTE query;
    RETURN described;
END $function$
"""
RUN = """
CREATE OR REPLACE FUNCTION run_query(query text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER AS $function$
BEGIN
    RETURN QUERY EXECUTE query;
END $function$
"""
FUNCTIONS = ("describe_query(text)", "run_query(text)")
OWN = "\n".join(
    f"""
    ALTER FUNCTION {function} OWNER TO connectome_sql;
    REVOKE ALL ON FUNCTION {function} FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION {function} TO connectome_reader;
    """
    for function in FUNCTIONS
)
GRANT = f"""
CREATE FUNCTION grant_reader() RETURNS void LANGUAGE plpgsql AS $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['connectome_reader', 'connectome_sql'] LOOP
        IF to_regrole(role) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN  -- another database of this server was faster
            END;
        END IF;
    END LOOP;
    GRANT connectome_reader TO connectome_sql;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT connectome_reader, connectome_sql TO %I', current_user);
    END IF;
    GRANT USAGE ON SCHEMA public TO connectome_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO connectome_reader;
    {DESCRIBE};
    {RUN};
    COMMENT ON FUNCTION describe_query(text) IS 'Opens a query as connectome_sql without running it';
    COMMENT ON FUNCTION run_query(text) IS 'The rows of a query that runs as connectome_sql';
    GRANT CREATE ON SCHEMA public TO connectome_sql;  -- which a new owner must have
    {OWN}
    REVOKE CREATE ON SCHEMA public FROM connectome_sql, PUBLIC;
END $$
"""
TRY = """
DO $$ BEGIN
    PERFORM grant_reader();
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'no role connectome_reader: %', SQLERRM;
END $$
"""
REVOKE = """
DO $$ BEGIN
    IF to_regrole('connectome_reader') IS NOT NULL THEN
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM connectome_reader;
        REVOKE ALL ON SCHEMA public FROM connectome_reader;
    END IF;
END $$
"""


def upgrade() -> None:
    """Make the roles and their rights; a server where that isn't allowed goes without."""
    op.execute(GRANT)
    op.execute("COMMENT ON FUNCTION grant_reader() IS 'Makes the roles that only read and gives them their rights'")
    op.execute(TRY)


def downgrade() -> None:
    """Take the rights back; roles belong to the whole server and stay."""
    for function in (*FUNCTIONS, "grant_reader()"):
        op.execute(f"DROP FUNCTION IF EXISTS {function}")
    op.execute(REVOKE)
