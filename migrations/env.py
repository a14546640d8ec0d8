"""Runs the migrations: over the connection that the caller holds, or for developers over alembic.ini's URL."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, create_engine

from connectome.errors import ConfigError
from connectome.store.schema.tables import METADATA


def run(connection: Connection) -> None:
    """Run the migrations in one transaction of an open connection."""
    context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def connect_and_run() -> None:
    """Connect to the URL of the developer's configuration or environment, then run."""
    url = context.config.get_main_option("sqlalchemy.url") or os.environ.get("CONNECTOME_DATABASE_URL")
    if not url:
        raise ConfigError("no database: set CONNECTOME_DATABASE_URL (connectome db url prints one)")
    engine = create_engine(url)
    with engine.begin() as connection:
        run(connection)


held = context.config.attributes.get("connection")
if held is None:
    connect_and_run()
else:
    run(held)
