"""A run's own folder: marked when the run begins, and removed together with the run's rows or not at all.

A row says where the folder is, and rows can be wrong: restored elsewhere, or written by somebody else. So nothing is
removed but what lies in the runs of the data folder at hand and bears the run's mark.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from connectome.errors import RunConflictError, StorageError

RUNS = "runs"
MARK = "run.json"
UNMARKED = frozenset({"clefts.zarr", "prediction.zarr", "tiles.zarr", "graph.graphml"})
"""What is in the folders that earlier versions made, which have no mark."""


def mark_folder(folder: Path, name: str) -> None:
    """Say in a run's folder whose it is.

    Raises:
        StorageError: it can't be written.
    """
    try:
        (folder / MARK).write_text(json.dumps({"run": name}) + "\n")
    except OSError as error:
        raise StorageError(f"{folder / MARK} can't be written: {error.strerror}", about="data_folder") from error


def require_own_folder(folder: Path, name: str, data_folder: Path) -> Path | None:
    """Check that a folder is the run's own, before it is removed.

    Returns:
        It, or what a removal that was killed made of it; None where there is neither.

    Raises:
        RunConflictError: it lies elsewhere than in the data folder, is a link, or isn't marked as the run's.
    """
    found = next((place for place in (folder, set_aside_path(folder)) if place.is_symlink() or place.exists()), None)
    if found is None:
        return None
    runs = (data_folder.expanduser() / RUNS).resolve()
    if folder.name != name or folder.parent.resolve() != runs:
        raise RunConflictError(
            f"nothing is removed: the folder of run '{name}', {folder}, isn't in the data folder {data_folder}, "
            f"as {runs / name} would be",
            about="other_data_folder",
        )
    if found.is_symlink() or not found.is_dir():
        raise RunConflictError(f"nothing is removed: {found} isn't a folder but a link or a file; move it away first")
    if not _is_marked(found, name):
        raise RunConflictError(
            f"nothing is removed: {found} isn't marked as the folder of run '{name}' and holds what no run makes; "
            "move it away first"
        )
    return found


def set_aside_path(folder: Path) -> Path:
    """Where a folder is while its run is being deleted."""
    return folder.with_name(f".{folder.name}.deleted")


def set_aside(folder: Path) -> None:
    """Take a run's folder away, so that it can be put back; it is away already where a removal was killed.

    Raises:
        StorageError: it can't be moved.
    """
    if folder.exists():
        remove_aside(folder)
        _rename(folder, set_aside_path(folder))


def put_back(folder: Path) -> None:
    """Undo `set_aside`, also that of a deletion that was killed before the rows were gone.

    Raises:
        StorageError: it can't be moved.
    """
    if set_aside_path(folder).is_dir() and not folder.exists():
        _rename(set_aside_path(folder), folder)


def remove_aside(folder: Path) -> None:
    """Remove what was set aside; links in it are removed, not followed.

    Raises:
        StorageError: it can't be removed.
    """
    aside = set_aside_path(folder)
    try:
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside)
    except OSError as error:
        raise StorageError(
            f"the run is deleted, what is left of its folder isn't: remove {aside} ({error.strerror})"
        ) from error


def _rename(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        raise StorageError(f"{folder} can't be moved to be removed: {error.strerror}; nothing was deleted") from error


def _is_marked(folder: Path, name: str) -> bool:
    """True if a folder says that it is this run's; one without a mark must hold nothing but what runs make."""
    mark = folder / MARK
    if mark.is_symlink() or not mark.is_file():
        return {entry.name for entry in folder.iterdir()} <= UNMARKED
    try:
        found = json.loads(mark.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("run") == name
