"""The `connectome` command: every group and command in one app, and how it ends.

Each command's file is imported when the command is asked for, and only light modules at the top of those files, so that
`connectome --help` stays quick.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from connectome.errors import ConnectomeError, InputError, StorageError
from connectome.version import VERSION

INTERRUPTED_EXIT_CODE = 130
OSERROR_EXIT_CODES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG), StorageError.exit_code),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.ELOOP), InputError.exit_code),
}
"""What the operating system says, wherever it does: full disks, and names that can't be."""
PLACES = {
    "demo": "demo:demo",
    "volume": "volume:app",
    "build": "build_graph:app",
    "runs": "runs:app",
    "view": "look:view",
    "report": "look:report",
    "evaluate": "evaluate:app",
    "query": "query:app",
    "graph": "graph:app",
    "sql": "sql:sql",
    "import": "import_tables:app",
    "export": "export:app",
    "plot": "plot:app",
    "roots": "roots:app",
    "annotate": "annotate:app",
    "db": "db:app",
    "models": "models:app",
    "train": "train:app",
    "tune": "tune:tune",
    "calibrate": "calibrate:calibrate",
}
"""Where each command is, in the order in which a user meets them: file and name of the group or function."""


class Commands(Mapping[str, Any]):
    """All commands by their names; the file of one is imported when it is asked for, so that each starts quickly."""

    def __getitem__(self, name: str) -> Any:
        file, _, attribute = PLACES[name].partition(":")
        found = getattr(import_module(f"connectome.cli.{file}"), attribute)
        holder = typer.Typer(pretty_exceptions_enable=False)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        return get_group(holder).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class CommandLine(TyperGroup):
    """A group that tells the user's errors in one line each, and leaves bugs their traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a ConnectomeError and Ctrl-C become one line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except ConnectomeError as error:
            from connectome.cli.ways_out import with_way_out

            typer.echo(f"error: {with_way_out(error)}", err=True)
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            code = OSERROR_EXIT_CODES.get(error.errno or 0)
            if code is None:
                raise
            place = "" if error.filename is None else f"{str(error.filename)[:200]}: "
            typer.echo(f"error: {place}{error.strerror}", err=True)
            raise typer.Exit(code) from error
        except KeyboardInterrupt as error:
            typer.echo("interrupted: what is finished is kept, the same command resumes", err=True)
            raise typer.Exit(INTERRUPTED_EXIT_CODE) from error


class Root(CommandLine):
    """The root group."""

    def __init__(self, **values: Any) -> None:
        """A group of all commands."""
        super().__init__(**values | {"commands": Commands()})

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order a user meets them."""
        return list(self.commands)


app = typer.Typer(
    cls=Root,
    name="connectome",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"connectome {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Electron-microscopy volumes in, queryable connectomes out.

    `connectome demo` shows the whole way on a small synthetic volume.

    Results go to stdout, progress and errors to stderr.

    Exit codes: 0 done, 1 other error, 2 wrong flags, 3 bad input, 4 database,
    5 model or device, 6 storage, 7 run incomplete or in conflict,
    8 cluster, 130 interrupted.
    """


def main() -> None:
    """Run the command line of this process and exit."""
    app(prog_name="connectome")


if __name__ == "__main__":
    main()
