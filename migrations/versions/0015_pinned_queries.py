"""A user's own query can change nothing for the queries of others.

Revision: 0015, after 0014.

A reader may make functions in a temporary schema, and what a query calls there runs as `connectome_sql`, which owns
`run_query` and `describe_query`. So both make the transaction read-only, which nothing in it can take back, and find
names in `public` before any temporary schema.
"""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BEFORE = import_module("connectome.migrations.versions.0010_reader")
PINNED = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
READ_ONLY = "\nBEGIN\n    PERFORM set_config('transaction_read_only', 'on', true);"
# A server whose functions can't be made safe isn't upgraded; one without them goes without.
TRY = """
DO $$ BEGIN
    PERFORM grant_reader();
EXCEPTION WHEN insufficient_privilege THEN
    IF to_regprocedure('run_query(text)') IS NOT NULL THEN
        RAISE;
    END IF;
    RAISE WARNING 'no role connectome_reader: %', SQLERRM;
END $$
"""


def pinned(function: str) -> str:
    """The text of a function that runs a query, made safe."""
    return function.replace("SECURITY DEFINER", PINNED).replace("\nBEGIN", READ_ONLY)


def redefine(grant: str) -> None:
    """Replace grant_reader(), which makes the other functions."""
    op.execute(grant.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))


def upgrade() -> None:
    """Make the functions anew, now and whenever a reader is made."""
    grant = BEFORE.GRANT
    for function in (BEFORE.DESCRIBE, BEFORE.RUN):
        grant = grant.replace(function, pinned(function))
    redefine(grant)
    op.execute(TRY)


def downgrade() -> None:
    """Make the functions as they were."""
    redefine(BEFORE.GRANT)
    op.execute(BEFORE.TRY)
