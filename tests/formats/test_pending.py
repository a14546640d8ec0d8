"""Writing that is never seen half done."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from connectome.formats.pending import pending


def test_files_that_are_still_added_when_an_error_ends_the_block_go_too(tmp_path: Path) -> None:
    def add_files(folder: Path) -> None:
        for number in range(4000):
            with suppress(FileNotFoundError):
                (folder / str(number)).write_bytes(b"chunk")

    def fail() -> None:
        with pending(tmp_path / "volume") as partial:
            for name in map(str, range(20)):
                (partial / name).mkdir(parents=True)
                threading.Thread(target=add_files, args=(partial / name,), daemon=True).start()
            raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        fail()
    assert list(tmp_path.iterdir()) == []
