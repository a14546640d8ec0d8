"""A small world that is built once, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_world import make_small_world

from connectome.pipeline.build import build_volume
from connectome.query.connectome import Connectome


@pytest.fixture(scope="module")
def connectome(module_data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connectome]:
    """An open database with a run `small` over a small world."""
    world = make_small_world(tmp_path_factory.mktemp("world"))
    build_volume(world.request(module_data_folder))
    with Connectome.open(None, module_data_folder) as opened:
        yield opened
