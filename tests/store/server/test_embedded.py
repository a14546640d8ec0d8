from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from connectome.errors import DatabaseError, StorageError
from connectome.store.database import Database
from connectome.store.server.embedded import EmbeddedServer

START = """
import sys
from pathlib import Path
from connectome.store.server.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).start())
"""


@pytest.fixture
def server(data_folder: Path) -> EmbeddedServer:
    """A server without files yet; stopped when the test ends."""
    return EmbeddedServer(data_folder / "postgres")


def started_elsewhere(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE, text=True)


def server_process(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def number_from(url: str) -> int:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def test_variables_of_libpq_for_another_server_do_not_matter(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "5999", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c nonsense=1"}.items():
        monkeypatch.setenv(name, value)
    with Database.open(None, server.folder.parent, create=True) as database:
        assert database.columns("SELECT 1 AS one")["one"].tolist() == [1]
    assert server.running
    for name in ("PGHOSTADDR", "PGOPTIONS"):
        monkeypatch.delenv(name)
    assert number_from(server.url) == 1  # as psql reads it


def test_a_server_outlives_the_process_that_started_it_and_stops_on_request(server: EmbeddedServer) -> None:
    assert not server.exists
    with started_elsewhere(server.folder) as process:
        url, _ = process.communicate()
    assert server.running
    assert server.url == url.strip()
    assert number_from(server.url) == 1
    assert server.stop()
    assert not server.running
    assert server.exists
    assert not server.stop()
    with pytest.raises(DatabaseError, match="isn't running"):
        _ = server.url


def test_processes_that_start_at_once_share_one_server(server: EmbeddedServer) -> None:
    processes = [started_elsewhere(server.folder) for _ in range(3)]
    urls = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert urls == {server.url}
    assert sorted(path.name for path in server.folder.parent.iterdir()) == ["postgres", "postgres.lock"]


def test_a_killed_server_starts_again_with_its_data(server: EmbeddedServer, execute_sql: Callable[..., None]) -> None:
    execute_sql(server.start(), "CREATE TABLE kept AS SELECT 1 AS number")
    os.kill(server_process(server.folder), signal.SIGKILL)
    with closing(psycopg2.connect(server.start())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM kept")
        assert cursor.fetchall() == [(1,)]


def test_a_process_id_left_by_a_reboot_is_not_taken_for_a_server(server: EmbeddedServer) -> None:
    server.start()
    left = (server.folder / "postmaster.pid").read_text().splitlines()
    server.stop()
    (server.folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]) + "\n")
    assert not server.running
    assert not server.stop()
    assert number_from(server.start()) == 1


@pytest.mark.parametrize("name", ["with space", "it's 100% größe, @home?&x=1#2", "long" * 40])
def test_any_folder_name_works(data_folder: Path, name: str) -> None:
    server = EmbeddedServer(data_folder / name / "postgres")
    try:
        assert number_from(server.start()) == 1
        assert number_from(server.url) == 1
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["short", "long" * 40])
def test_a_server_whose_files_were_removed_leaves_that_of_new_files_at_the_same_place_alone(
    data_folder: Path, name: str
) -> None:
    server = EmbeddedServer(data_folder / name / "postgres")
    server.start()
    old = server_process(server.folder)
    with server.folder.with_name("postgres.lock").open() as held_by_old:
        shutil.rmtree(server.folder.parent)
        try:
            server.start()
        finally:
            os.kill(old, signal.SIGQUIT)  # what it does to itself once it notices that its files are gone
            fcntl.flock(held_by_old, fcntl.LOCK_EX)  # free when its last process has ended
    try:
        assert number_from(server.url) == 1
    finally:
        server.stop()


def test_files_that_were_half_made_are_made_anew(server: EmbeddedServer) -> None:
    half = server.folder.with_name("postgres.new-abc")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert number_from(server.start()) == 1
    assert not half.exists()


@pytest.mark.parametrize("place", ["/proc/nowhere", "file"])
def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"can't be used for the database \(.*choose another data folder") as caught:
        EmbeddedServer(tmp_path / place / "postgres").start()
    assert "\n" not in str(caught.value)


def test_files_of_another_postgresql_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 12, this is 18"):
        EmbeddedServer(tmp_path / "postgres").start()


def test_a_server_that_does_not_start_says_why(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.folder / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatabaseError, match=r"PostgreSQL doesn't start: .*server\.log") as caught:
        server.start()
    assert "\n" not in str(caught.value)


def test_files_in_use_on_another_machine_are_left_alone(tmp_path: Path) -> None:
    with (tmp_path / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatabaseError, match="in use by a server that doesn't answer here"):
            EmbeddedServer(tmp_path / "postgres", timeout_s=0.3).start()
    assert not (tmp_path / "postgres").exists()


def test_the_lock_is_its_owners_and_who_is_connected_is_told(server: EmbeddedServer) -> None:
    assert server.users() == []
    url = server.start()
    lock = server.folder.with_name("postgres.lock")
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.chmod(0o666)  # as earlier versions made it
    with closing(psycopg2.connect(url, application_name="a notebook")):
        assert [user.partition(" since ")[0] for user in server.users()] == ["a notebook of user postgres"]
    server.stop()
    server.start()
    assert lock.stat().st_mode & 0o777 == 0o600
