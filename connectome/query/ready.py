"""Queries of the library with their values, checked against the database before they run."""

from __future__ import annotations

from collections.abc import Mapping

from connectome.query.asking import find_scope
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.library import ready_query
from connectome.store.queries.streaming import query_text

RUN_PARAMETERS = ("run", "first", "second")


def ready_text(database: Database, name: str, given: Mapping[str, str]) -> str:
    """The text of a ready query with these values.

    Raises:
        QueryError: no such query or parameter, one has no value, or a value isn't of its type.
        RunNotFoundError, IncompleteRunError, RootsError: a run or version that it names isn't there or not finished.
    """
    query = ready_query(name).filled(given)
    for parameter in RUN_PARAMETERS:
        if parameter in query.parameters:
            find_scope(database, Filter(run=query.parameters[parameter], roots=query.parameters.get("roots")))
    return query_text(database, query)
