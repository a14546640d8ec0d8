"""A file that appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import StorageError
from connectome.whole_file import whole_file


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
    with pytest.raises(seen), whole_file(path) as file:
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder can't be written"), whole_file(tmp_path / "folder"):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]
