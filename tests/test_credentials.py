"""Credentials in URLs are used and never shown: in texts, in messages, in a database that a build wrote."""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import psycopg2
import pytest
from alembic import command
from small_world import SmallWorld, make_small_world
from typer.testing import Result

from connectome.credentials import without_credentials
from connectome.errors import DatabaseError, InputError, StorageError
from connectome.pipeline.build import build_volume
from connectome.store.address import connect, open_connection, psql_url, shown
from connectome.store.database import Database
from connectome.store.schema.migrate import configuration, upgrade
from connectome.volumes.volume import Volume

Cli = Callable[..., Result]
LOGIN = "ann", "s3cret/w@rd"
QUOTED = "ann:s3cret%2Fw%40rd@"
SIGNATURES = ("f1rstS1gnature", "0therS1gnature")


class Guarded(SimpleHTTPRequestHandler):
    """Files for who has the login or a signature that is still good."""

    def send_head(self) -> object:
        signed = parse_qs(urlsplit(self.path).query).get("X-Amz-Signature", [""])[0] in SIGNATURES
        wanted = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
        if not signed and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return None
        return super().send_head()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """All chunks are asked for at once."""

    request_queue_size = 256


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def host(world: SmallWorld) -> Iterator[str]:
    running = Server(("127.0.0.1", 0), functools.partial(Guarded, directory=str(world.folder)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("https://u:p@h/v", "https://h/v"),
        ("https://u:p@ss@h:80/v|zarr3:", "https://h:80/v|zarr3:"),
        ("https://u:p/w@h/v", "https://h/v"),
        ("https://token@h/v", "https://h/v"),
        ("precomputed://https://u:p@h/v", "precomputed://https://h/v"),
        ("http://h:8080/a@b/v", "http://h:8080/a@b/v"),
        ("https://h/v?sig=a&volume=3&X-Amz-Date=1|zip:a/|zarr:", "https://h/v?volume=3|zip:a/|zarr:"),
        ("s3://key:secret@bucket/v?token=1", "s3://bucket/v"),
        ("s3://bucket/v?versionId=3", "s3://bucket/v?versionId=3"),
        ("file:///a?b@c", "file:///a?b@c"),
        ("/data/a@b?c", "/data/a@b?c"),
        ("postgresql://u:p@ss@h/d", "postgresql://u@h/d"),
        ("postgresql://u@h/d?sslpassword=x&a=b", "postgresql://u@h/d?sslpassword=...&a=b"),
        ("no 'https://u:p@h/v?t=1': no", "no 'https://h/v': no"),
        ("is it https://h/v?", "is it https://h/v?"),
        ("no https://h/a b?sig=x&y=z", "no https://h/a b?sig=...&y=z"),
    ],
)
def test_a_text_keeps_what_names_a_volume_and_loses_what_opens_it(given: str, clean: str) -> None:
    assert without_credentials(given) == clean
    assert without_credentials(clean) == clean


def test_every_error_loses_them() -> None:
    assert str(StorageError("https://u:p@h/v?sig=1 can't be read")) == "https://h/v can't be read"


def test_a_login_comes_from_the_url_or_from_netrc(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match="refuses it") as refused:
        Volume.open(f"http://ann:wr0ng@{host}/raw.zarr")
    assert "wr0ng" not in str(refused.value)
    with pytest.raises(InputError):
        Volume.open(f"http://{host}/raw.zarr")
    opened = Volume.open(f"http://{QUOTED}{host}/raw.zarr")
    assert opened.url == f"http://{host}/raw.zarr"
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {LOGIN[0]} password {LOGIN[1]}\n")
    by_file = Volume.open(f"http://{host}/raw.zarr")
    assert by_file.url == opened.url
    assert np.array_equal(by_file.read(by_file.box), opened.read(opened.box))
    (tmp_path / "netrc").write_text("machine\n")
    with pytest.raises(InputError, match="netrc can't be read for the login"):
        Volume.open(f"http://{host}/raw.zarr")


def all_texts(url: str) -> str:
    """Every value of every table."""
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT t::text FROM {table} t")
        found += [row[0] for row in cursor.fetchall()]
    connection.close()
    return "\n".join(found)


def test_a_build_stores_none_and_an_exchanged_signature_is_the_same_volume(
    world: SmallWorld, host: str, database_url: str, tmp_path: Path, cli: Cli
) -> None:
    def given(signature: str) -> dict[str, str]:
        query = f"?X-Amz-Expires=60&X-Amz-Signature={signature}"
        return {
            "image": f"http://{QUOTED}{host}/raw.zarr",
            "segmentation": f"http://{host}/neuron_ids.zarr{query}|zarr3:",
        }

    names = {"database_url": database_url, "name": "guarded", "block_shape": (40, 100, 90)}
    first = build_volume(world.request(tmp_path, **names, **given(SIGNATURES[0])))
    again = build_volume(world.request(tmp_path, **names, **given(SIGNATURES[1])))
    assert again.clefts == first.clefts > 50
    told = cli("runs", "show", "guarded", "--json", "--database-url", database_url).stdout
    for text in (all_texts(database_url), told):
        assert f"http://{host}/neuron_ids.zarr|zarr3:" in text
        for secret in ("s3cret", "w@rd", "w%40rd", *SIGNATURES, "X-Amz"):
            assert secret not in text


def test_what_was_stored_before_is_cleaned(empty_database_url: str, execute_sql: Callable[..., None]) -> None:
    upgrade(empty_database_url)
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "0017")
    engine.dispose()
    rest = "'uint8', 1, 1, 1, 1, 1, 1, 0, 0, 0"
    columns = "role, url, dtype, shape_z, shape_y, shape_x, " + ", ".join(
        f"{what}_{axis}_nm" for what in ("resolution", "offset") for axis in "zyx"
    )
    values = ", ".join(
        f"('{role}', '{url}', {rest})"
        for role, url in (
            ("image", "https://u:hidden@h/i"),
            ("segmentation", "https://h/s?sig=hidden1"),
            ("segmentation", "https://h/s?sig=hidden2"),
        )
    )
    execute_sql(
        empty_database_url,
        "INSERT INTO data_set (name) VALUES ('https://h/s?sig=hidden1'), ('https://h/s?sig=hidden2'), ('mine')",
        f"INSERT INTO volume ({columns}) VALUES {values}",
        "INSERT INTO model (role, name, sha256, config, method) VALUES ('detector', 'd', 'aa', '{}', 'mask')",
        *(
            "INSERT INTO run (name, state, kind, parameters, folder, code_version, data_set_id, detector_model_id, "
            "image_volume_id, segmentation_volume_id, box_start_z, box_start_y, box_start_x, box_stop_z, box_stop_y, "
            f"box_stop_x) VALUES ('r{i}', 'finished', 'build', "
            f"""'{{"image": "https://u:hidden@h/i (uint8)", "working_nm": [1, 1, 1]}}', '/f{i}', '1', {i}, 1, 1, """
            f"{i + 1}, 0, 0, 0, 1, 1, 1)"
            for i in (1, 2)
        ),
        "INSERT INTO block (run_id, stage, block_id, voxels, seconds, state, error) "
        "VALUES (1, 'predict', 0, 1, 1, 'failed', 'https://h/s?sig=hidden1 is away')",
    )
    assert "hidden" in all_texts(empty_database_url)
    upgrade(empty_database_url)
    assert "hidden" not in all_texts(empty_database_url)
    with Database.open(empty_database_url, Path("unused")) as database:
        runs = database.columns(
            "SELECT url, d.name, count(*) OVER () AS volumes FROM run "
            "JOIN volume ON volume_id = segmentation_volume_id JOIN data_set d USING (data_set_id) ORDER BY run_id"
        )
        assert list(runs["url"]) == ["https://h/s"] * 2
        assert list(runs["name"]) == ["https://h/s", "https://h/s (2)"]
        assert database.columns("SELECT count(*) AS n FROM volume")["n"] == [2]


def test_a_database_password_with_any_letters_is_read_and_in_no_message() -> None:
    url = "postgresql://ann:p@ss:w/rd@127.0.0.1:1/brain?sslpassword=hidden"
    assert shown(url) == "brain at 127.0.0.1:1"
    assert psql_url(url) == "postgresql://ann:p%40ss%3Aw%2Frd@127.0.0.1:1/brain?sslpassword=hidden"
    with pytest.raises(psycopg2.OperationalError) as away:
        open_connection(url)
    assert not any(part in str(away.value) for part in ("p@ss", "ss:w", "hidden", "rd@"))
    with pytest.raises(DatabaseError) as told:
        Database.open(url, Path("unused"))
    assert not any(part in str(told.value) for part in ("p@ss", "ss:w", "hidden", "rd@"))
