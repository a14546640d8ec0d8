"""The state of a database, without changing or starting anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from connectome.store.address import psql_url, shown
from connectome.store.database import given_url
from connectome.store.schema.status import SchemaStatus, schema_status
from connectome.store.server.embedded import EmbeddedServer


class ServerState(StrEnum):
    """The server behind a database: given by a URL, or the embedded one of the data folder."""

    EXTERNAL = "external"
    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class DatabaseStatus:
    """A database's server and schema.

    Attributes:
        place: where it is, for a person, without the password.
        schema: None where no server answers.
    """

    server: ServerState
    place: str
    schema: SchemaStatus | None


def database_status(url: str | None, data_folder: Path) -> DatabaseStatus:
    """Look at the database that commands with these options work on.

    Raises:
        DatabaseError: the URL is malformed, or its server unreachable.
    """
    given = given_url(url)
    if given is not None:
        place = psql_url(given)
        return DatabaseStatus(server=ServerState.EXTERNAL, place=shown(place), schema=schema_status(place))
    server = EmbeddedServer(data_folder / "postgres")
    if not server.running:
        state = ServerState.STOPPED if server.exists else ServerState.ABSENT
        return DatabaseStatus(server=state, place=str(server.folder), schema=None)
    return DatabaseStatus(server=ServerState.RUNNING, place=str(server.folder), schema=schema_status(server.url))
