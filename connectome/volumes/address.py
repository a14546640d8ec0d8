"""Addresses of volumes: paths and URLs, files that hold folders, servers that answer. Knows no format."""

from __future__ import annotations

import netrc
import os
import re
import socket
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from connectome.errors import InputError, VolumeFormatError, VolumeNotFoundError

NEUROGLANCER_SCHEMES = {
    "precomputed": "neuroglancer-precomputed",
    "zarr": "auto",
    "zarr2": "zarr2",
    "zarr3": "zarr3",
    "n5": "n5",
}
ZIP_SUFFIXES = (".zip", ".ozx")
HOSTS = {"gs": "storage.googleapis.com", "s3": "s3.amazonaws.com"}
ANSWER_S, PAUSE_S = 5.0, 1.0


def as_url(url: str | Path) -> str:
    """A URL or URL pipeline that TensorStore takes; a local path becomes file://, one that leads into a zip a pipeline.

    Raises:
        VolumeFormatError: a local path with a backslash, which TensorStore would take for a slash.
    """
    text = str(url)
    source = re.match(r"(\w+)://(?=[a-z0-9]+://)", text)
    if source is not None and source[1] in NEUROGLANCER_SCHEMES:
        place = text[source.end() :].rstrip("/")
        inside = f"{place}|zip:" if place.lower().endswith(ZIP_SUFFIXES) else f"{place}/"
        return f"{inside}|{NEUROGLANCER_SCHEMES[source[1]]}:"
    if re.match(r"[a-z0-9+]+://", text):
        found = re.fullmatch(r"([^|?]*\.(?:zip|ozx))(/[^|]*)?", text, re.IGNORECASE)
        return text if found is None else f"{found[1]}|zip:{_folder((found[2] or '').strip('/'))}"
    path, bar, rest = text.partition("|")
    if "\\" in path:
        raise VolumeFormatError(f"{path} has a backslash, which paths of volumes can't have: rename it")
    whole = Path(path).expanduser().absolute()
    archive = _archive_on(whole)
    if archive is None or rest.startswith("zip:"):
        return f"file://{quote(str(whole))}{bar}{rest}"
    inside = "" if archive == whole else _folder(quote(whole.relative_to(archive).as_posix()))
    return f"file://{quote(str(archive))}|zip:{inside}{bar}{rest}"


def with_login(address: str) -> str:
    """A URL of http or https with the login that `.netrc` (or the file that NETRC names) has for its host, if it has.

    One that carries a login keeps it. Other stores have their own ways: keys in the environment or their own files.

    Raises:
        InputError: the file can't be read.
    """
    found = re.match(r"(https?://)([^@/?#|]+)(?=[/?#|]|$)(?![^/?#|]*@)", address)
    if found is None:
        return address
    login = _login(urlsplit(found[0]).hostname or "")
    if login is None:
        return address
    user, password = (quote(part, safe="") for part in login)
    return f"{found[1]}{user}:{password}@{address[len(found[1]) :]}"


def _login(host: str) -> tuple[str, str] | None:
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        known = netrc.netrc(str(path)).hosts
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
        raise InputError(f"{path} can't be read for the login at {host}: {getattr(error, 'msg', error)}") from error
    found = known.get(host)
    return None if found is None else (found[0], found[2])


def local_path(url: str | Path) -> Path | None:
    """The file or folder on this machine that a URL, a pipeline or a path leads to; None where it's another's."""
    address = as_url(url)
    place = re.match(r"file://([^|]*)", address)
    return None if place is None else Path(unquote(place[1]))


def refuse_missing(url: str | Path) -> None:
    """Check that something is there, as far as that is quick: a path exists, a server answers.

    Raises:
        VolumeNotFoundError: nothing is there. VolumeFormatError: see `as_url`.
    """
    path = local_path(url)
    if path is None:
        _refuse_unreachable(as_url(url))
    elif not path.exists():
        raise VolumeNotFoundError(f"no volume at {url}: the path doesn't exist")


def _archive_on(path: Path) -> Path | None:
    """The zip that a path is or leads into."""
    file = next((place for place in (path, *path.parents) if place.is_file()), None)
    return file if file is not None and zipfile.is_zipfile(file) else None


def _folder(path: str) -> str:
    return f"{path}/" if path else ""


def _refuse_unreachable(address: str) -> None:
    """Try the server of a URL: TensorStore would go on for half a minute where there is none.

    Raises:
        VolumeNotFoundError: its name isn't known, or it doesn't answer.
    """
    parts = urlsplit(address.partition("|")[0])
    scheme = "https" if parts.scheme in HOSTS else parts.scheme
    if scheme not in ("http", "https") or (scheme in getproxies() and not proxy_bypass(parts.hostname or "")):
        return
    host = HOSTS.get(parts.scheme) or parts.hostname or ""
    port = (parts.port if parts.scheme == scheme else None) or (443 if scheme == "https" else 80)
    if not _answers(host, port):
        time.sleep(PAUSE_S)
        if not _answers(host, port):
            raise VolumeNotFoundError(f"no volume at {address}: the server {host} isn't known, or doesn't answer")


def _answers(host: str, port: int) -> bool:
    """True if a server takes a connection within `ANSWER_S`; looking up its name counts too."""
    waiting = ThreadPoolExecutor(1)
    try:
        waiting.submit(socket.create_connection, (host, port), ANSWER_S).result(ANSWER_S).close()
    except (OSError, TooLong):
        return False
    finally:
        waiting.shutdown(wait=False)
    return True
