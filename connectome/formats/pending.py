"""Writing that is never seen half done: into a hidden sibling, renamed once it is whole."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectome.errors import StorageError

LATE_WRITES_S, PAUSE_S = 5.0, 0.02


def refuse_existing(*targets: Path) -> None:
    """Check before any work that nothing would be replaced.

    Raises:
        StorageError: one of `targets` exists.
    """
    for target in targets:
        if target.exists():
            raise StorageError(f"{target} exists already: remove it, choose another place, or give --overwrite")


def remove_stale(path: Path) -> None:
    """Remove what is about to be replaced, if it is there.

    Raises:
        StorageError: the place can't be written.
    """
    try:
        _remove(path)
    except OSError as error:
        raise StorageError(f"{path} can't be removed: {error.strerror}") from error


@contextmanager
def pending(target: Path) -> Iterator[Path]:
    """A path `.NAME.partial` beside `target` to write to; becomes `target`, replacing it, when the block ends well.

    What a killed process left under that name is removed first; an error removes it too.

    Raises:
        StorageError: the place can't be written.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)
    except OSError as error:
        raise StorageError(f"{target} can't be written: {error.strerror}") from error
    try:
        yield partial
        _replace(partial, target)
    except OSError as error:
        raise StorageError(f"{target} can't be written: {error.strerror or error}") from error
    finally:
        _remove(partial)


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
    """Remove a folder; where the writing of one chunk has failed, others may still add files for a moment."""
    deadline = time.monotonic() + LATE_WRITES_S
    while True:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)
        else:
            return
