"""The `connectome` command: every group and command in one app, and how it ends.

Only light modules are imported here and at the top of the command files, so that `connectome --help` stays quick.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connectome.cli import (
    annotate,
    build,
    build_graph,
    db,
    evaluate,
    export,
    import_tables,
    models,
    query,
    roots,
    runs,
    train,
    volume,
)
from connectome.cli.calibrate import calibrate
from connectome.cli.demo import demo
from connectome.cli.sql import sql
from connectome.cli.tune import tune
from connectome.errors import ConnectomeError
from connectome.version import VERSION

INTERRUPTED_EXIT_CODE = 130
ORDER_IN_HELP = (
    "demo",
    "volume",
    "build",
    "runs",
    "evaluate",
    "query",
    "sql",
    "import",
    "export",
    "roots",
    "annotate",
    "db",
    "models",
    "train",
    "tune",
    "calibrate",
)


class CommandLine(TyperGroup):
    """The root group: tells the user's errors in one line each, and leaves bugs their traceback."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order a user meets them."""
        return sorted(self.commands, key=lambda name: (*ORDER_IN_HELP, name).index(name))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a ConnectomeError and Ctrl-C become one line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except ConnectomeError as error:
            from connectome.cli.ways_out import with_way_out

            typer.echo(f"error: {with_way_out(error)}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            typer.echo("interrupted: what is finished is kept, the same command resumes", err=True)
            raise typer.Exit(INTERRUPTED_EXIT_CODE) from error


app = typer.Typer(
    cls=CommandLine,
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


app.command()(demo)
app.add_typer(volume.app, name="volume")
build.app.command()(build_graph.graph)
app.add_typer(build.app, name="build")
app.add_typer(runs.app, name="runs")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(import_tables.app, name="import")
app.add_typer(roots.app, name="roots")
app.add_typer(annotate.app, name="annotate")
app.add_typer(query.app, name="query")
app.add_typer(export.app, name="export")
app.command()(sql)
app.add_typer(db.app, name="db")
app.add_typer(models.app, name="models")
app.add_typer(train.app, name="train")
app.command()(tune)
app.command()(calibrate)


def main() -> None:
    """Run the command line of this process and exit."""
    app(prog_name="connectome")


if __name__ == "__main__":
    main()
