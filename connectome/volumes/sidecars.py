"""Small files beside arrays, and what TensorStore raises, translated once."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import tensorstore as ts

from connectome.errors import VolumeFormatError

TENSORSTORE_ERRORS = (ValueError, OSError, RuntimeError, IndexError, KeyError, OverflowError)


def reason(error: Exception) -> str:
    """What went wrong on one line: the operating system's words, else TensorStore's message without its spec."""
    code = re.search(r"\[os_error_code='(\d+)'\]", str(error))
    if code is not None:
        return os.strerror(int(code[1]))
    return " ".join(re.split(r" \[(?:tensorstore_spec|source locations|http_response_body)", str(error))[0].split())


def driver(store: ts.TensorStore) -> str:
    """The name of an array's format."""
    return str(store.spec().to_json()["driver"])


def read_json(kvstore: ts.KvStore | None, name: str) -> dict[str, Any]:
    """A JSON file's object; empty where there is none, or where a server doesn't say whether there is one.

    Raises:
        VolumeFormatError: the file can't be read, or isn't JSON.
    """
    if kvstore is None:
        return {}
    try:
        found = kvstore.read(name).result()
        value = json.loads(found.value) if found.state == "value" else {}
    except TENSORSTORE_ERRORS as error:
        if "PERMISSION_DENIED" in str(error) and not kvstore.url.startswith("file:"):
            return {}  # a store of objects that can't be listed answers so for what isn't there
        raise VolumeFormatError(f"{kvstore.url}{name} can't be read as JSON: {reason(error)}") from error
    return value if isinstance(value, dict) else {}


def group_attributes(kvstore: ts.KvStore) -> dict[str, Any]:
    """The attributes of a group: of zarr 3 (and of what is nested in `ome` there), zarr 2, or n5.

    Raises:
        VolumeFormatError: a file of them can't be read, or isn't JSON.
    """
    modern = read_json(kvstore, "zarr.json").get("attributes")
    modern = modern if isinstance(modern, dict) else {}
    nested = modern.get("ome")
    found = modern | (nested if isinstance(nested, dict) else {})
    return found or read_json(kvstore, ".zattrs") or read_json(kvstore, "attributes.json")


def array_attributes(store: ts.TensorStore) -> dict[str, Any]:
    """The user's attributes of an array, from wherever its format keeps them.

    Raises:
        VolumeFormatError: a file of them can't be read, or isn't JSON.
    """
    spec = store.spec().to_json()
    match spec["driver"]:
        case "zarr3":
            return dict(spec["metadata"].get("attributes", {}))
        case "n5":
            return dict(spec["metadata"])
        case "zarr":
            return read_json(store.kvstore, ".zattrs")
        case _:
            return {}


def parent(kvstore: ts.KvStore) -> tuple[ts.KvStore, str] | None:
    """The folder that holds another, and that one's name in it; None above the topmost."""
    above, bar, name = kvstore.path.rstrip("/").rpartition("/")
    if not name:
        return None
    folder = kvstore.copy()
    folder.path = f"{above}{bar}"  # the root of a zip has no name, that of a disk has one: /
    return folder, name
