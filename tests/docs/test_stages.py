"""The stages as docs/how-it-works.md shows them are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from connectome.pipeline.context import PREDICTION, TILES
from connectome.pipeline.stages import STAGES
from connectome.store.runs.blocks import Stage
from connectome.store.runs.runs import CLEFTS
from connectome.store.schema.tables import METADATA

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"
FILES = {"tiles": TILES, "prediction": PREDICTION, "clefts": CLEFTS}


def test_the_page_shows_the_stages_their_units_and_what_they_leave() -> None:
    section = PAGE.read_text().split("## Stages")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    shown = {name: (block, set(re.findall(r"`([\w.]+)`", left))) for name, block, left in rows if name != "stage"}
    stages = {
        stage.name.value: (stage.block, {FILES[volume] for volume in stage.volumes} | set(stage.tables))
        for stage in STAGES
    }
    assert list(shown) == list(stages) == [stage.value for stage in Stage]
    assert shown == stages


def test_stages_write_tables_that_exist() -> None:
    assert {table for stage in STAGES for table in stage.tables} <= set(METADATA.tables)
