"""Options of builds, and of commands that share some with them, made from the table of parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectome.cli.options.groups import shared_options
from connectome.errors import ConfigError
from connectome.pipeline.parameters import AXES, PARAMETERS, Option, options_of
from connectome.pipeline.request import OPTIONS, Execution, InputVolumes, ModelNames

if TYPE_CHECKING:
    from connectome.pipeline.request import BuildRequest

Values = Mapping[str, Any]
"""What was given, by the names of the table."""
PANELS: Mapping[str, str | None] = {
    **dict.fromkeys(options_of(InputVolumes), "Volumes"),
    **dict.fromkeys(options_of(ModelNames), "Models"),
    **dict.fromkeys(PARAMETERS, "Parameters"),
    **dict.fromkeys(options_of(Execution), "How it runs"),
    **dict.fromkeys(("image", "segmentation")),  # first of all
}
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        show_default=False,
        help="Options of build volume as keys of a TOML file, with _ for -; flags win.",
    ),
]


def build_options(argument: str, *names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that gives a command these options of a build.

    Args:
        argument: the parameter of the command that receives what was given of them, as `Values`.
        names: of the table; none: all.
    """
    rows = {OPTIONS[name].key: OPTIONS[name] for name in names or OPTIONS}

    def given(**values: Any) -> Values:
        return {rows[key].name: _value(rows[key], value) for key, value in values.items() if value is not None}

    return _options(given, {key: _option(row) for key, row in rows.items()}, argument)


def tried_options(argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that gives a command an option for each axis of tuning: the values to try, ascending, by name."""
    rows = {PARAMETERS[name].key + "s": PARAMETERS[name] for name in AXES}

    def given(**values: str | None) -> Values:
        return {rows[key].name: _numbers(rows[key], text) for key, text in values.items() if text is not None}

    return _options(given, {key: _tried_option(row) for key, row in rows.items()}, argument)


def request_without_volumes(config: Path | None, given: Values) -> BuildRequest:
    """What a build is to share with everything that is tried: models and parameters.

    Raises:
        ConfigError: see `read_request`.
    """
    from connectome.pipeline.request import read_request

    return read_request(config, {"image": "", "segmentation": "", **given})


def _options(
    given: Callable[..., Values], kinds: Mapping[str, Any], argument: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the keys of `kinds` are parameters of the command, `given` makes their values the argument."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(key, keyword, default=None, annotation=kind) for key, kind in kinds.items()]
    vars(given)["__signature__"] = inspect.Signature(parameters)
    given.__annotations__ = dict(kinds)
    share = shared_options(given, argument)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        shared = share(command)
        found = dict(inspect.signature(shared).parameters)
        first = [found.pop(key) for key in kinds]  # what a command needs of these stands before its own in the help
        vars(shared)["__signature__"] = inspect.Signature([*first, *found.values()])
        return shared

    return decorate


def _option(row: Option) -> Any:
    """A row as the annotation that typer reads."""
    names = row.flag if row.off_flag is None else f"{row.flag}/{row.off_flag}"
    shown: Any = {
        "help": row.help,
        "metavar": row.metavar,
        "show_default": row.shown_default or False,
        "rich_help_panel": row.panel or PANELS.get(row.name),
        "envvar": row.envvar,
    }
    kind: Any = str if row.read is not None else row.kind
    if kind is str and row.choices is not None:
        choice: Any = StrEnum
        kind = choice("Choice", [(value, value) for value in row.choices])
    return Annotated[kind | None, typer.Option(names, **shown)]


def _tried_option(row: Option) -> Any:
    usual = ", ".join(f"{value:g}" for value in row.tried) or "the assigner's"
    polyadic = ", ".join(f"{value:g}" for value in row.tried_polyadic)
    return Annotated[
        str | None,
        typer.Option(
            f"{row.flag}s",
            metavar="N,N,...",
            help=f"Values of {row.flag} to try.",
            show_default=usual if usual == polyadic else f"{usual}; polyadic: {polyadic}",
            rich_help_panel="What is tried",
        ),
    ]


def _value(row: Option, given: Any) -> Any:
    """What was given as the library takes it.

    Raises:
        ConfigError: it can't be read.
    """
    if row.read is None:
        return given.value if isinstance(given, StrEnum) else given
    try:
        return row.value(given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{row.flag} '{given}' can't be read: {error}") from error


def _numbers(row: Option, text: str) -> tuple[float, ...]:
    """The ascending numbers of an option.

    Raises:
        ConfigError: something in it is no number.
    """
    try:
        return tuple(sorted({row.kind(part) for part in text.split(",")}))
    except ValueError as error:
        raise ConfigError(f"{row.flag}s '{text}' isn't a list of numbers: write e.g. 1,2,3") from error
