"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import gzip
import io
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from connectome.errors import StorageError

STDOUT = "-"
LATE_WRITES_S, PAUSE_S = 5.0, 0.02


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write; it takes its place at `path` when the block ends well.

    Until then, and after any error or a kill, whatever was at `path` is still there. A file that is replaced keeps its
    permissions, a symbolic link leads where it led, and a device or a pipe is written to as it is; `-` is standard
    output. Where `path` ends in .gz, what is written is compressed; equal contents make equal files.

    Raises:
        StorageError: disk full, no such folder, no permission; also for an OSError inside the block.
    """
    with _written(path):
        if str(path) == STDOUT:
            sys.stdout.flush()
            with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as file:
                yield file
            return
        if _is_stream(path):
            with path.open("wb") as file:
                yield file
            return
        place = path.resolve()
        part = place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                _take_permissions(place, file.fileno())
                if path.suffix.lower() == ".gz":
                    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
                        yield cast(BinaryIO, compressed)
                else:
                    yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """`whole_file` for text: UTF-8, line ends as they are written.

    Raises:
        StorageError: disk full, no such folder, no permission; also for an OSError inside the block.
    """
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A path `.NAME.partial` beside `target` to write to; becomes `target`, replacing it, when the block ends well.

    What a killed process left under that name is removed first; an error removes it too.

    Raises:
        StorageError: the place can't be written; also for an OSError inside the block.
    """
    partial = target.with_name(f".{target.name}.partial")
    with _written(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)
        try:
            yield partial
            _replace(partial, target)
        finally:
            _remove(partial)


def is_stdout(path: Path) -> bool:
    """Whether what is written to a path goes to standard output, where nothing else may then be printed."""
    return str(path) in (STDOUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def refuse_existing(*targets: Path) -> None:
    """Check before any work that nothing would be replaced.

    Raises:
        StorageError: one of `targets` exists.
    """
    for target in targets:
        if target.exists():
            raise StorageError(f"{target} exists already: remove it, ask to overwrite, or choose another place")


def remove_stale(path: Path) -> None:
    """Remove what is about to be replaced, a file or a folder, if it is there.

    Raises:
        StorageError: the place can't be written.
    """
    try:
        _remove(path)
    except OSError as error:
        raise StorageError(f"{path} can't be removed: {error.strerror}") from error


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror or error}") from error


def _is_stream(path: Path) -> bool:
    """True if a path is a device, a pipe, or names an open file as /dev/stdout does."""
    folder = path.absolute().parent.resolve()
    return folder == Path("/dev") or folder.is_relative_to("/proc") or (path.exists() and not path.is_file())


def _take_permissions(place: Path, descriptor: int) -> None:
    """Give an open file the permissions and, where that is allowed, the owner of what it will replace."""
    with suppress(FileNotFoundError):
        there = place.stat()
        with suppress(PermissionError):  # only root gives files away
            os.fchown(descriptor, there.st_uid, there.st_gid)
        os.fchmod(descriptor, there.st_mode & 0o7777)


def _replace(partial: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    _remove(old)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        _remove_folder(path)
    else:
        path.unlink(missing_ok=True)


def _remove_folder(folder: Path) -> None:
    """Remove a folder; where the writing of one chunk has failed, others may still add files for a moment.

    Those would add as fast as they are removed, so the folder is renamed first: they no longer find it. Some make the
    folder anew, so it is looked for until it stays away.
    """
    deadline = time.monotonic() + LATE_WRITES_S
    while folder.exists():
        gone = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.gone")
        folder.rename(gone)
        _remove_tree(gone, deadline)


def _remove_tree(folder: Path, deadline: float) -> None:
    """Remove a folder that nobody finds any more; files that were on their way into it may still arrive."""
    while True:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)
        else:
            return
