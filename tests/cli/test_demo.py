"""`connectome demo` from nothing to answers, and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest
from typer.testing import Result


@pytest.mark.slow
def test_the_demo_builds_scores_exports_and_asks_and_a_second_one_uses_what_is_there(
    cli: Callable[..., Result], data_folder: Path
) -> None:
    command = ["demo", "--folder", data_folder, "--shape", "40,256,256", "--seed", "5", "--device", "cpu"]
    first = cli(*command)
    assert first.exit_code == 0, first.output
    for words in ("is finished", "edge F1", "the strongest edges", "what to type next", "db stop"):
        assert words in first.stdout
    assert "phantom:" in first.stderr and "predict:" in first.stderr
    assert nx.read_graphml(data_folder / "demo.graphml").number_of_edges() >= 1
    assert "Against the reference" in (data_folder / "demo.html").read_text()
    second = cli(*command)
    assert "was finished already" in second.stdout
    assert "phantom:" not in second.stderr
    f1 = [line for line in first.stdout.splitlines() if "edge F1" in line]
    assert f1 == [line for line in second.stdout.splitlines() if "edge F1" in line]


def test_a_wrong_shape_is_refused(cli: Callable[..., Result], data_folder: Path) -> None:
    result = cli("demo", "--folder", data_folder, "--shape", "40,256")
    assert result.exit_code == 3
    assert "isn't three whole numbers" in result.stderr
    assert not data_folder.exists()
