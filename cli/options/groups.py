"""Options that many commands share, given to each by a decorator instead of being repeated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

Value = TypeVar("Value")
Command = Callable[..., Value]


def shared_options(provider: Callable[..., Any], argument: str) -> Callable[[Command[Value]], Command[Value]]:
    """A decorator that gives a command the options of `provider`.

    Args:
        provider: its parameters are the options; they all have defaults.
        argument: the parameter of the command that receives what `provider` makes of them; typer doesn't see it.
    """
    shared = inspect.signature(provider).parameters
    provided = get_type_hints(provider, include_extras=True)

    def decorate(command: Command[Value]) -> Command[Value]:
        own = {name: p for name, p in inspect.signature(command).parameters.items() if name != argument}
        hints = {**provided, **get_type_hints(command, include_extras=True)}

        @functools.wraps(command)
        def with_options(**values: Any) -> Value:
            made = provider(**{name: values.pop(name) for name in shared if name in values})
            return command(**values, **{argument: made})

        parameters = {**own, **shared}
        signature = inspect.Signature(
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]) for name, p in parameters.items()]
        )
        vars(with_options)["__signature__"] = signature
        with_options.__annotations__ = {name: hints[name] for name in parameters}
        del vars(with_options)["__wrapped__"]
        return with_options

    return decorate
