"""The library of ready queries: .sql files that ship in `ready/`, each run by its name with parameters.

A file begins with comment lines: first what it answers, then its parameters, one a line, as `:name type: what it is` or
`:name type = default: what it is`. The rest is one statement with :name where the values go. A line `over NAME` puts
shared/NAME.sql before it, whose parameters become the query's too: common table expressions that many begin with.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from connectome.errors import QueryError
from connectome.store.queries.streaming import Query

PARAMETER = re.compile(r"-- :(?P<name>\w+) (?P<type>[\w ]+(?:\[\])?)(?: = (?P<default>[^:]*))?: (?P<text>.+)")
OVER = re.compile(r"-- over (\w+)")
KINDS = {"bigint": int, "integer": int, "double precision": float, "text": str}
NO_VALUE = "none"


@dataclass(frozen=True, kw_only=True)
class QueryParameter:
    """A value that a query needs.

    Attributes:
        type: PostgreSQL's name of it; `bigint[]` is given as numbers with commas between.
        default: as it would be given; None: it has to be given. `none` is NULL.
    """

    name: str
    type: str
    default: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class ReadyQuery:
    """A query of the library."""

    name: str
    title: str
    parameters: tuple[QueryParameter, ...]
    sql: str

    def filled(self, given: Mapping[str, str]) -> Query:
        """The query with these values; the others are the defaults.

        Raises:
            QueryError: a parameter isn't known, has no value, or a value isn't of its type.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise QueryError(f"query '{self.name}' has no parameter '{unknown[0]}': it takes {self._wanted()}")
        missing = [p.name for p in self.parameters if p.default is None and p.name not in given]
        if missing:
            raise QueryError(f"query '{self.name}' needs --param {missing[0]}=...: it takes {self._wanted()}")
        values = {name: self._value(p, given.get(name, p.default or "")) for name, p in known.items()}
        return Query(sql=self.sql, parameters=values)

    def _value(self, parameter: QueryParameter, text: str) -> Any:
        if text == NO_VALUE:
            return None
        kind = KINDS[parameter.type.removesuffix("[]")]
        try:
            return [kind(part) for part in text.split(",")] if parameter.type.endswith("[]") else kind(text)
        except ValueError as error:
            raise QueryError(
                f"query '{self.name}': --param {parameter.name}={text} isn't a value of type {parameter.type}"
            ) from error

    def _wanted(self) -> str:
        return ", ".join(p.name if p.default is None else f"{p.name} (default {p.default})" for p in self.parameters)


def ready_queries() -> list[ReadyQuery]:
    """All queries of the library, by name."""
    folder = files("connectome.store.queries") / "ready"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    shared = {
        entry.name.removesuffix(".sql"): parse(entry.name, entry.read_text("utf-8"))
        for entry in (folder / "shared").iterdir()
    }
    return [parse(name.removesuffix(".sql"), (folder / name).read_text("utf-8"), shared) for name in names]


def ready_query(name: str) -> ReadyQuery:
    """The query of a name.

    Raises:
        QueryError: there is none.
    """
    found = {query.name: query for query in ready_queries()}
    if name not in found:
        raise QueryError(f"no ready query is named '{name}': connectome sql --list shows them ({', '.join(found)})")
    return found[name]


def parse(name: str, text: str, shared: Mapping[str, ReadyQuery] = MappingProxyType({})) -> ReadyQuery:
    """A query from the text of its file.

    Args:
        name: of the query.
        text: of the file.
        shared: what it may begin with, by name.

    Raises:
        ValueError: the file isn't of the library's form.
    """
    lines = text.splitlines()
    header = list(itertools.takewhile(lambda line: line.startswith("--"), lines))
    title, parameters, begin = [], [], None
    for line in header:
        match, over = PARAMETER.fullmatch(line), OVER.fullmatch(line)
        if over is not None:
            begin = shared[over[1]]
        elif match is None:
            title.append(line.removeprefix("--").strip())
        elif match["type"].removesuffix("[]") not in KINDS:
            raise ValueError(f"{name}.sql: {match['type']} is no type of a parameter")
        else:
            parameters.append(QueryParameter(**match.groupdict()))
    statement = "\n".join(lines[len(header) :]).strip()
    if begin is not None:
        parameters += begin.parameters
        statement = f"{begin.sql}\n{statement}"
    return ReadyQuery(name=name, title=" ".join(title), parameters=tuple(parameters), sql=statement)
