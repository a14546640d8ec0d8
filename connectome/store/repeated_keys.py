"""Telling a repeated key, which a user's table can have, from other refusals of PostgreSQL."""

from __future__ import annotations

import re

import psycopg2
from sqlalchemy.exc import DBAPIError

from connectome.errors import DatabaseError

UNIQUE_VIOLATION = "23505"  # SQLSTATE


def repeated_key(error: DatabaseError, column: str) -> int | None:
    """The value of a column in the key that came twice; None: the error is another."""
    cause = error.__cause__
    original = cause.orig if isinstance(cause, DBAPIError) else cause
    if not isinstance(original, psycopg2.Error) or original.pgcode != UNIQUE_VIOLATION:
        return None
    names, values = re.findall(r"\(([^)]*)\)", original.diag.message_detail or "() ()")[:2]
    found = dict(zip(names.split(", "), values.split(", "), strict=False))
    return int(found[column]) if column in found else None
