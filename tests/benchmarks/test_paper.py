"""The paper's experiments: what their tables say, and that the one with a build and a database runs."""

from __future__ import annotations

import csv
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """The script that a test is about."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module(request.param)


@pytest.mark.parametrize("script", ["table1"], indirect=True)
def test_mcnemars_test_counts_the_clefts_that_only_one_method_gets_right(script: ModuleType) -> None:
    answers = {"a": [True] * 10, "b": [False] * 6 + [True] * 4, "c": [False] + [True] * 8 + [False]}
    outcomes = {
        name: script.Outcome(right={("v", i): right for i, right in enumerate(values)}, errors=[])
        for name, values in answers.items()
    }
    rows = list(script.mcnemar_rows({"data": outcomes}))
    assert rows[0] == ("data", "a", "b", 6, 0, "0.0312")
    assert rows[1] == ("data", "a", "c", 2, 0, "0.5")
    assert rows[2] == ("data", "b", "c", 1, 5, "0.219")
    assert next(script.mcnemar_rows({"data": {"a": outcomes["a"], "d": outcomes["a"]}}))[3:] == (0, 0, "1")


@pytest.mark.parametrize("script", ["large_scale"], indirect=True)
def test_the_truth_decides_which_method_is_right(script: ModuleType) -> None:
    def verdict(pruner: tuple[int, int] | None, *truth: tuple[int, int]) -> str:
        row = {"pre_segment_id": 1, "post_segment_id": 2}
        case = script.Case(row=row, pruner=pruner, truth=frozenset(truth))
        assert case.differ is (pruner != (1, 2))
        return str(case.verdict)

    assert verdict((2, 1), (1, 2)) == "AVAN right"
    assert verdict(None, (1, 2)) == "AVAN right"
    assert verdict((2, 1), (2, 1)) == "proximity pruner right"
    assert verdict((2, 1), (3, 4)) == "both wrong"
    assert verdict((1, 2), (1, 2)) == "both right"
    assert verdict((2, 1)) == "no cleft of the truth there"


@pytest.mark.parametrize("script", ["paper"], indirect=True)
def test_phantoms_of_another_spacing_lie_in_another_folder(script: ModuleType, tmp_path: Path) -> None:
    setting = script.Setting(work=tmp_path, results=tmp_path, small=False)
    usual, dense = (setting.phantom(5, (16, 64, 64), bouton_spacing_nm=spacing) for spacing in (None, 1500.0))
    assert usual.folder.name == "phantom-cortex-16x64x64-seed5"
    assert dense.folder.name == "phantom-cortex-16x64x64-spacing1500-seed5"
    before = (usual.folder / "annotations.csv").stat().st_mtime_ns
    assert (setting.phantom(5, (16, 64, 64)).folder / "annotations.csv").stat().st_mtime_ns == before
    small = script.Setting(work=tmp_path, results=tmp_path, small=True)
    assert small.real("AC3", script.TEST_BOX) == [] and len(small.test_seeds) < len(setting.test_seeds)


@pytest.mark.slow
def test_the_large_scale_experiment_runs_on_a_small_phantom(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "large_scale.py"), "--small", "--work", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    page = (tmp_path / "large_scale.md").read_text()
    assert "| drawn | " in page and "| the methods differ | " in page and "AVAN wrong, of those" in page
    with (tmp_path / "large_scale-disagreements.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert f"| the methods differ | {len(rows)} |" in page
    assert all(row["avan"] != row["proximity_pruner"] for row in rows)
