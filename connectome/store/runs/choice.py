"""The run that answers: the named one, or the one that finished last; an unfinished one never does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectome.errors import IncompleteRunError, RunNotFoundError
from connectome.store.database import Database

NAMES_SHOWN = 10
FACTS = "content = 'edges', data_set_id, coalesce((parameters ->> 'unscored')::bigint, 0)"
NAMED = f"SELECT run_id, name, state, {FACTS} FROM run WHERE name = %s"
LATEST = f"""
SELECT run_id, name, state, {FACTS} FROM run WHERE state = 'finished' ORDER BY finished_at DESC, run_id DESC LIMIT 1"""
NAMES = "SELECT name FROM run ORDER BY run_id DESC"
NEWER = "SELECT name, state FROM run WHERE run_id > %s AND state <> 'finished' ORDER BY run_id DESC LIMIT 1"
HAS_SYNAPSES = "SELECT EXISTS (SELECT FROM synapse WHERE run_id = %s)"
WITH_SYNAPSES = """
SELECT name FROM run WHERE state = 'finished' AND EXISTS (SELECT FROM synapse WHERE synapse.run_id = run.run_id)
ORDER BY finished_at DESC, run_id DESC LIMIT 1"""


@dataclass(frozen=True, kw_only=True)
class RunChoice:
    """A finished run.

    Attributes:
        edges_only: it holds edges and no synapses.
        data_set_id: the data set that its ids belong to.
        unscored: how many of its synapses have no confidence, as far as it is told (imports since revision 0017).
        notice: what to tell a user who named no run; None where one was named.
    """

    run_id: int
    name: str
    edges_only: bool
    data_set_id: int
    unscored: int
    notice: str | None = None


def choose_run(database: Database, name: str | None) -> RunChoice:
    """The finished run of a name; None: the one that finished last.

    Raises:
        RunNotFoundError: no run has this name, or none is finished.
        IncompleteRunError: its build isn't finished.
    """
    with database.reading() as cursor:
        cursor.execute(*((LATEST,) if name is None else (NAMED, [name])))
        row = cursor.fetchone()
        if row is None:
            cursor.execute(NAMES)
            raise run_not_found(name, [found for (found,) in cursor.fetchall()])
        run_id, found, state, edges_only, data_set_id, unscored = row
        if state != "finished":
            raise IncompleteRunError(f"run '{name}' is {state}, not finished", about="unfinished")
        return RunChoice(
            run_id=run_id,
            name=found,
            edges_only=edges_only,
            data_set_id=data_set_id,
            unscored=unscored,
            notice=None if name is not None else _notice(cursor, run_id, found, edges_only),
        )


def run_not_found(name: str | None, names: Sequence[str]) -> RunNotFoundError:
    """The error where no run has a name, or (None) none is finished.

    Args:
        name: what was asked for.
        names: of all runs, the newest first.
    """
    if name is None:
        return RunNotFoundError(
            "no run is finished yet: connectome build volume makes one, connectome import synapses loads one"
        )
    if not names:
        return RunNotFoundError(f"no run named '{name}': connectome build volume makes the first")
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return RunNotFoundError(f"no run named '{name}': the database has {shown}")


def _notice(cursor: Any, run_id: int, name: str, edges_only: bool) -> str:
    """Which run answers, and what its user may not expect: a newer one isn't finished, or this one is empty."""
    notice = f"run '{name}' answers, the one that finished last"
    cursor.execute(NEWER, [run_id])
    newer = cursor.fetchone()
    if newer is not None:
        notice += f"; the newer run '{newer[0]}' is {newer[1]}"
    if edges_only:
        return f"{notice}; it holds edges alone"
    cursor.execute(HAS_SYNAPSES, [run_id])
    if not cursor.fetchone()[0]:
        cursor.execute(WITH_SYNAPSES)
        other = cursor.fetchone()
        notice += "; it has no synapses" + ("" if other is None else f", run '{other[0]}' has")
    return notice
