"""Alembic migrations of the database schema; installs as `connectome.migrations`."""
