"""`connectome db`: the database's URL, schema and server."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.errors import ConfigError


class Driver(StrEnum):
    """Who is to read a database URL."""

    PSQL = "psql"
    ADBC = "adbc"
    PSYCOPG2 = "psycopg2"
    PSYCOPG = "psycopg"
    ASYNCPG = "asyncpg"


app = typer.Typer(no_args_is_help=True, help="The database: its URL, its schema, its readers, its server.")


@app.command()
def url(
    with_password: Annotated[bool, typer.Option("--with-password", help="Print the password too.")] = False,
    driver: Annotated[
        Driver,
        typer.Option("--driver", help="Who reads it: SQLAlchemy wants a driver's name in it."),
    ] = Driver.PSQL,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Print the URL of the database, as psql reads it; starts the data folder's server if needed.

    A password is left out, as everybody on a machine can read the command lines there: psql asks for it, or finds it
    in PGPASSFILE or ~/.pgpass. Try: psql "$(connectome db url)"

    For SQLAlchemy: create_engine of what --driver psycopg2 (or psycopg, asyncpg) prints; see docs/clients.md.
    """
    from connectome.store.address import driver_url, without_password
    from connectome.store.database import database_url as find

    found = find(database_url, data_folder, create=True)
    typer.echo(driver_url(found if with_password else without_password(found), driver.value))


@app.command()
def upgrade(database_url: DatabaseUrlOption = None, data_folder: DataFolderOption = DEFAULT_DATA_FOLDER) -> None:
    """Make the tables, or take those of an older version to this one; data stays."""
    from connectome.store.database import database_url as find
    from connectome.store.schema.migrate import upgrade as migrate

    status = migrate(find(database_url, data_folder, create=True))
    typer.echo(f"schema {status.current} ({status.state})")


@app.command()
def status(
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Show the database's server and schema; starts and changes nothing."""
    from connectome.store.server.status import database_status

    found = database_status(database_url, data_folder)
    schema = found.schema
    result = {
        "server": found.server.value,
        "place": found.place,
        "schema": schema.state.value if schema else None,
        "revision": schema.current if schema else None,
        "newest_revision": schema.head if schema else None,
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(f"server  {found.server} ({found.place})")
    if schema is None:
        typer.echo("schema  unknown: the server isn't running, the next command that needs it starts it")
    else:
        typer.echo(f"schema  {schema.state} (revision {schema.current or 'none'}, newest {schema.head})")


@app.command()
def reader(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The login's name.")],
    password: Annotated[
        bool, typer.Option(help="Ask for a password (or read it from a pipe); without, the server must know its users.")
    ] = True,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Make a login that can read everything and change nothing, or give it a new password.

    Try: psql postgresql://NAME@HOST/DATABASE
    """
    from connectome.store.database import Database
    from connectome.store.server.logins import create_reader

    secret = _password() if password else None
    with Database.open(database_url, data_folder) as database:
        kept_off = create_reader(database, name, secret)
    typer.echo(f"{name} can read the database")
    if not kept_off:
        typer.echo(
            "warning: only a superuser can also keep it from advisory locks, temporary tables and large objects",
            err=True,
        )


def _password() -> str:
    """The password that is typed twice, or the first line of what is piped in."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise ConfigError("no password: type one, pipe one in, or give --no-password")
    return secret


@app.command()
def stop(data_folder: DataFolderOption = DEFAULT_DATA_FOLDER) -> None:
    """Stop the data folder's server; the next command that needs it starts it again."""
    from connectome.store.server.embedded import EmbeddedServer

    server = EmbeddedServer(data_folder / "postgres")
    for user in server.users():
        typer.echo(f"warning: it was in use by {user}", err=True)
    stopped = server.stop()
    typer.echo("stopped" if stopped else "no server was running")
