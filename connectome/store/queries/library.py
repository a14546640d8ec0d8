"""The library of questions: .sql files that ship in `ready/`, asked by Python and by name with parameters.

A file begins with comment lines: first what it answers, then its parameters, one a line, as `:name type: what it is` or
`:name type = default: what it is`. The rest is one statement with :name where the values go. A line `over ...` says
what it stands on: `over run` the number of a run, :run_id; `over edges` and `over synapses` the expressions of a filter
(see `scope`), whose values become the query's parameters too. `over edges of neurons` asks of given neurons only, and
`over synapses` of those in its parameters `pre` and `post`, if it has them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectome.errors import QueryError
from connectome.selection import Filter, NmBox
from connectome.store.database import Database
from connectome.store.queries.lineage import require_neurons
from connectome.store.queries.scope import Scope, find_scope
from connectome.store.queries.streaming import Query, query_text
from connectome.store.runs.choice import choose_run

OF_NEURONS = ("neuron", "neurons", "pre", "post", "source", "target")
FOLDER = Path(__file__).parent / "ready"
PARAMETER = re.compile(r"-- :(?P<name>\w+) (?P<type>[\w |]+(?:\[\])?)(?: = (?P<default>[^:]*))?: (?P<text>.+)")
OVER = re.compile(r"-- over (run|edges|edges of neurons|synapses)")
KINDS = {"bigint": int, "integer": int, "double precision": float, "text": str}
NO_VALUE = "none"
RUNS = ("first", "second")
BOX = ("start_x", "start_y", "start_z", "stop_x", "stop_y", "stop_z")


@dataclass(frozen=True, kw_only=True)
class QueryParameter:
    """A value that a query needs.

    Attributes:
        type: PostgreSQL's name of it; `bigint[]` is given as numbers with commas between, `a|b` as one of these words.
        default: as it would be given; None: it has to be given. `none` is NULL.
    """

    name: str
    type: str
    default: str | None
    text: str


RUN = (
    QueryParameter(name="run", type="text", default="none", text="a finished run; none: the one that finished last"),
)
FILTER = (
    *RUN,
    QueryParameter(name="roots", type="text", default="none", text="version of the roots; none: the segments"),
    QueryParameter(name="min_synapses", type="integer", default="1", text="leave out edges of fewer synapses"),
    QueryParameter(
        name="min_confidence", type="double precision", default="none", text="leave out synapses of a lower confidence"
    ),
    QueryParameter(name="min_size", type="integer", default="none", text="leave out synapses of smaller clefts"),
    QueryParameter(name="max_size", type="integer", default="none", text="leave out synapses of larger clefts"),
    QueryParameter(
        name="box_nm", type="text", default="none", text="only synapses in this box in nm, z0:z1,y0:y1,x0:x1"
    ),
    QueryParameter(name="pre_type", type="text", default="none", text="only edges from neurons of this type"),
    QueryParameter(name="post_type", type="text", default="none", text="only edges to neurons of this type"),
)


@dataclass(frozen=True, kw_only=True)
class ReadyQuery:
    """A query of the library.

    Attributes:
        over: what it stands on, as its file says; None: on nothing.
        parameters: its own first.
    """

    name: str
    title: str
    parameters: tuple[QueryParameter, ...]
    sql: str
    over: str | None

    def asked(self, scope: Scope, **values: Any) -> Query:
        """The query over a scope, with the values of its own parameters; those left out are the defaults."""
        own = {p.name: self._value(p, p.default) for p in self.parameters if p.default is not None} | values
        kept = {name: value for name, value in own.items() if f":{name}" in self.sql and name not in vars(scope.filter)}
        if self.over == "run":
            scope.require_synapses()
            return Query(sql=self.sql, parameters={"run_id": scope.run.run_id, **kept})
        near = [side for side in ("pre", "post") if self.over == "synapses" and kept.get(side) is not None]
        return scope.query(self.sql, narrow=self.over == "edges of neurons", near=near, **kept)

    def filled(self, database: Database, given: Mapping[str, str], tell: Callable[[str], object]) -> Query:
        """The query with values given as text; `tell` is told which run answers where none is named.

        Raises:
            QueryError: a parameter isn't known, has no value, or a value isn't of its type.
            RunNotFoundError, IncompleteRunError, RootsError: a run or version isn't there, or the run isn't finished.
            NeuronNotFoundError: none of the ids is a neuron of the run.
            ConfigError, BoxError: a value of the filter is out of its range.
        """
        values = self._values(given)
        if self.over is None:
            for name in RUNS:
                if name in values:
                    choose_run(database, values[name])
            return Query(sql=self.sql, parameters=values)
        scope = find_scope(database, _filter(values), tell)
        asked_of = [values[name] for name in OF_NEURONS if values.get(name) is not None]
        ids = [one for part in asked_of for one in (part if isinstance(part, list) else [part])]
        require_neurons(database, scope, ids, tell)
        return self.asked(scope, **values)

    def _values(self, given: Mapping[str, str]) -> dict[str, Any]:
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise QueryError(f"query '{self.name}' has no parameter '{unknown[0]}': it takes {self._wanted()}")
        missing = [p.name for p in self.parameters if p.default is None and p.name not in given]
        if missing:
            raise QueryError(f"query '{self.name}' needs a {missing[0]}: it takes {self._wanted()}", about="param")
        return {name: self._value(p, given.get(name, p.default or "")) for name, p in known.items()}

    def _value(self, parameter: QueryParameter, text: str) -> Any:
        if text == NO_VALUE:
            return None
        words = parameter.type.split("|")
        if len(words) > 1 and text in words:
            return text
        try:
            kind = KINDS[parameter.type.removesuffix("[]")]
            return [kind(part) for part in text.split(",")] if parameter.type.endswith("[]") else kind(text)
        except (KeyError, ValueError) as error:
            raise QueryError(
                f"query '{self.name}': {parameter.name}={text} isn't a value of type {parameter.type}"
            ) from error

    def _wanted(self) -> str:
        return ", ".join(p.name if p.default is None else f"{p.name} (default {p.default})" for p in self.parameters)


def ready_queries() -> list[ReadyQuery]:
    """All queries of the library, by name."""
    return [ready_query(name) for name in _names()]


def ready_query(name: str) -> ReadyQuery:
    """The query of a name.

    Raises:
        QueryError: there is none.
    """
    names = _names()
    if name not in names:
        raise QueryError(f"no ready query is named '{name}', but {', '.join(names)}", about="ready_query")
    return parse(name, (FOLDER / f"{name}.sql").read_text("utf-8"))


def ready_text(
    database: Database, name: str, given: Mapping[str, str], tell: Callable[[str], object] = lambda notice: None
) -> str:
    """The text of a ready query with values given as text, which can be run on its own.

    Args:
        database: where it will run.
        name: of the query.
        given: values of its parameters.
        tell: is told which run answers where none is named.

    Raises:
        QueryError: no such query or parameter, one has no value, or a value isn't of its type.
        RunNotFoundError, IncompleteRunError, RootsError: a run or version that is named isn't there or not finished.
        ConfigError, BoxError: a value of the filter is out of its range.
    """
    return query_text(database, ready_query(name).filled(database, given, tell))


def parse(name: str, text: str) -> ReadyQuery:
    """A query from the text of its file.

    Raises:
        ValueError: the file isn't of the library's form.
    """
    lines = text.splitlines()
    header = list(itertools.takewhile(lambda line: line.startswith("--"), lines))
    title, parameters, over = [], [], None
    for line in header:
        match, stands = PARAMETER.fullmatch(line), OVER.fullmatch(line)
        if stands is not None:
            over = stands[1]
        elif match is None:
            title.append(line.removeprefix("--").strip())
        elif match["type"].removesuffix("[]") not in KINDS and "|" not in match["type"]:
            raise ValueError(f"{name}.sql: {match['type']} is no type of a parameter")
        else:
            parameters.append(QueryParameter(**match.groupdict()))
    statement = "\n".join(lines[len(header) :]).strip()
    own = {parameter.name for parameter in parameters}
    left_out = own | ({"box_nm"} if own >= set(BOX) else set())
    shared = () if over is None else RUN if over == "run" else FILTER
    parameters += [parameter for parameter in shared if parameter.name not in left_out]
    return ReadyQuery(name=name, title=" ".join(title), parameters=tuple(parameters), sql=statement, over=over)


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def _filter(values: Mapping[str, Any]) -> Filter:
    """What part of a connectome the values of a query mean."""
    chosen = {p.name: values[p.name] for p in FILTER if values.get(p.name) is not None}
    box = chosen.pop("box_nm", None)
    if set(BOX) <= set(values):
        start, stop = (tuple(values[f"{end}_{axis}"] for axis in "zyx") for end in ("start", "stop"))
        return Filter(**chosen, box_nm=NmBox(start, stop))
    return Filter(**chosen, box_nm=None if box is None else NmBox.parse(box))
