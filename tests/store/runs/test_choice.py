"""Which run answers where none is named, and what its user is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectome.errors import IncompleteRunError, RunNotFoundError
from connectome.store.database import Database
from connectome.store.runs.choice import choose_run
from connectome.store.runs.records import NewRun, RunRecord, RunState
from connectome.store.runs.runs import create_run, set_state

Make = Callable[[str], RunRecord]


@pytest.fixture
def make(
    database: Database,
    new_run: Callable[[str], NewRun],
    write_clefts: Callable[..., None],
    write_synapses: Callable[..., None],
) -> Callable[..., RunRecord]:
    """Makes a run in a state, with a synapse or without."""

    def make_run(name: str, state: RunState = RunState.FINISHED, *, empty: bool = False) -> RunRecord:
        made = create_run(database, new_run(name))
        if not empty:
            with database.begin() as connection:
                write_clefts(connection, made.run_id, [1])
                write_synapses(connection, made.run_id, [(1, 7, 8, 0.5)])
        set_state(database, made.run_id, state)
        return made

    return make_run


def test_the_run_that_finished_last_answers_and_its_name_is_told(database: Database, make: Make) -> None:
    make("one")
    two = make("two")
    chosen = choose_run(database, None)
    assert (chosen.run_id, chosen.name) == (two.run_id, "two")
    assert chosen.notice is not None
    assert "'two'" in chosen.notice
    assert choose_run(database, "one").notice is None


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.INCOMPLETE])
def test_a_newer_run_that_is_not_finished_is_told(
    database: Database, make: Callable[..., RunRecord], state: RunState
) -> None:
    make("good")
    make("newer", state)
    chosen = choose_run(database, None)
    assert chosen.name == "good"
    assert f"'newer' is {state.value}" in str(chosen.notice)
    with pytest.raises(IncompleteRunError):
        choose_run(database, "newer")


def test_an_empty_run_says_so_and_names_one_that_has_synapses(
    database: Database, make: Callable[..., RunRecord]
) -> None:
    make("good")
    make("empty", empty=True)
    chosen = choose_run(database, None)
    assert chosen.name == "empty"
    assert "no synapses" in str(chosen.notice)
    assert "'good' has" in str(chosen.notice)


def test_without_a_finished_run_nothing_answers(database: Database, make: Callable[..., RunRecord]) -> None:
    make("newer", RunState.INCOMPLETE)
    with pytest.raises(RunNotFoundError):
        choose_run(database, None)
    with pytest.raises(RunNotFoundError, match="newer"):
        choose_run(database, "gone")
