"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from connectome.errors import StorageError
from connectome.files import whole_file, whole_folder, whole_text


def test_the_file_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "seen"), [(ValueError("x"), ValueError), (OSError(28, "No space left"), StorageError)]
)
def test_after_an_error_the_old_file_is_still_there(tmp_path: Path, error: Exception, seen: type[Exception]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(seen), whole_text(path) as file:
        file.write("new")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder can't be written"), whole_file(tmp_path / "folder"):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    with whole_text(tmp_path / "file") as file:
        file.write("µ\r\nx\n")
    assert (tmp_path / "file").read_bytes() == "µ\r\nx\n".encode()


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o750])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    with whole_file(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with whole_file(tmp_path / "file"):
        pass
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with whole_file(link) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"through")
    reader.join(10)
    assert read == [b"through"]
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_an_open_file_that_is_named_by_its_descriptor_is_written_to(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as shell:
        with whole_text(Path(f"/dev/fd/{shell.fileno()}")) as file:
            file.write("rows")
        assert shell.read() == b"rows"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_folder_takes_the_place_of_another_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "volume"
    for text in ("first", "second"):
        with whole_folder(target) as partial:
            partial.mkdir()
            (partial / text).touch()
    assert [item.name for item in target.iterdir()] == ["second"]
    assert list(target.parent.iterdir()) == [target]


def test_files_that_are_still_added_when_an_error_ends_the_block_go_too(tmp_path: Path) -> None:
    stop = threading.Event()

    def add_files(folder: Path) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with suppress(FileNotFoundError):
                (folder / str(number)).write_bytes(b"chunk")

    def fail() -> None:
        with whole_folder(tmp_path / "volume") as partial:
            for name in map(str, range(20)):
                (partial / name).mkdir(parents=True)
                threading.Thread(target=add_files, args=(partial / name,), daemon=True).start()
            raise ValueError("full")

    try:
        with pytest.raises(ValueError, match="full"):
            fail()
        assert list(tmp_path.iterdir()) == []
    finally:
        stop.set()
