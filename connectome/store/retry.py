"""Waiting for a database that is away for a while: restarted, or out of connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from connectome.errors import DatabaseUnavailableError

Value = TypeVar("Value")
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How to try again while the database is away.

    Attributes:
        total_s: for how long in all, from the first failure on.
        pause: waits some seconds; may raise to end the waiting.
        before: called before each further attempt; what it raises of an absent database is waited for too.
    """

    total_s: float = 120.0
    pause: Callable[[float], None] = time.sleep
    before: Callable[[], None] = lambda: None


def retried(action: Callable[[], Value], retry: Retry) -> Value:
    """Do something that may be done twice; while the database is away, again after growing pauses.

    Raises:
        DatabaseUnavailableError: it is away for longer than that. Anything else that the action raises, at once.
    """
    deadline: float | None = None
    pause_s = 0.1
    while True:
        try:
            if deadline is not None:
                retry.before()
            return action()
        except DatabaseUnavailableError:
            deadline = deadline or time.monotonic() + retry.total_s
            if time.monotonic() + pause_s > deadline:
                raise
            retry.pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
