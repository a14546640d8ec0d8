"""The stage deduplicate: synapses that were found in pieces become one, whatever the blocks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from small_world import SmallWorld, build, make_small_world, rows_of

from connectome.errors import IncompleteRunError, StorageError
from connectome.pipeline.build import build_volume
from connectome.store.database import Database
from connectome.store.findings.building import repeated_synapses

DISTANCE_NM = 900.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def plain(world: SmallWorld, module_data_folder: Any) -> dict[str, Any]:
    return build(world.request(module_data_folder, name="plain"))[1]


@pytest.fixture(scope="module")
def merged(world: SmallWorld, module_data_folder: Any) -> tuple[Any, dict[str, Any]]:
    summary, rows, _ = build(world.request(module_data_folder, name="merged", duplicate_distance_nm=DISTANCE_NM))
    return summary, rows


def synapses(rows: dict[str, Any]) -> list[tuple[int, int, int]]:
    names = ("cleft_id", "pre_segment_id", "post_segment_id")
    return list(zip(*(rows[f"synapse.{name}"].tolist() for name in names), strict=True))


def test_no_two_synapses_of_a_pair_are_left_near_each_other(plain: dict[str, Any], merged: Any) -> None:
    summary, rows = merged
    assert 0 < summary.duplicates == len(plain["synapse.cleft_id"]) - summary.synapses
    assert "deduplicate" in summary.stages and f"{summary.duplicates:,} duplicates" in summary.to_text()
    ids = rows["cleft.cleft_id"].tolist()
    centroid = dict(zip(ids, np.stack([rows[f"cleft.{a}_nm"] for a in "zyx"], 1), strict=True))
    for (a, *first), (b, *second) in itertools.combinations(synapses(rows), 2):
        assert first != second or np.linalg.norm(centroid[a] - centroid[b]) > DISTANCE_NM


def test_the_larger_cleft_is_kept_and_both_are_recorded(
    plain: dict[str, Any], merged: Any, module_data_folder: Any
) -> None:
    with Database.open(None, module_data_folder) as database:
        found = database.columns(
            "SELECT d.cleft_id, d.kept_cleft_id, d.distance_nm, a.size_voxels AS size, b.size_voxels AS kept_size, "
            "a.state, b.state AS kept_state FROM duplicate d JOIN run USING (run_id) "
            "JOIN cleft a ON a.run_id = d.run_id AND a.cleft_id = d.cleft_id "
            "JOIN cleft b ON b.run_id = d.run_id AND b.cleft_id = d.kept_cleft_id WHERE name = 'merged'"
        )
    gone = set(synapses(plain)) - set(synapses(merged[1]))
    assert {cleft for cleft, _, _ in gone} == set(found["cleft_id"].tolist())
    assert (found["size"] <= found["kept_size"]).all()
    assert (found["distance_nm"] > 0).all()
    assert set(found["state"]) == {"duplicate"} and set(found["kept_state"]) == {"assigned"}
    partners = {cleft: pair for cleft, *pair in synapses(plain)}
    for cleft, kept in zip(found["cleft_id"].tolist(), found["kept_cleft_id"].tolist(), strict=True):
        assert partners[cleft] == partners[kept]


def test_candidates_of_merged_clefts_stay(plain: dict[str, Any], merged: Any) -> None:
    assert np.array_equal(plain["candidate.cleft_id"], merged[1]["candidate.cleft_id"])


def test_the_result_does_not_depend_on_how_the_pairs_are_parted_nor_on_an_interruption(
    world: SmallWorld, module_data_folder: Any, merged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectome.pipeline.stages.synapses.CLEFTS_A_PART", 20)
    request = world.request(module_data_folder, name="parted", duplicate_distance_nm=DISTANCE_NM)
    calls = itertools.count()

    def stop(*arguments: Any) -> Any:
        if next(calls) >= 3:
            raise StorageError("no more")
        return repeated_synapses(*arguments)

    with monkeypatch.context() as patch, pytest.raises(IncompleteRunError, match=r"stage deduplicate failed .*no more"):
        patch.setattr("connectome.pipeline.stages.synapses.repeated_synapses", stop)
        build_volume(request)
    assert build_volume(request).stages["deduplicate"].blocks > 3
    with Database.open(None, module_data_folder) as database:
        assert synapses(rows_of(database, "parted")) == synapses(merged[1])


def test_a_minimum_score_leaves_synapses_out_and_says_so(
    world: SmallWorld, module_data_folder: Any, plain: dict[str, Any]
) -> None:
    cut = float(np.median(plain["synapse.confidence"]))
    summary, rows, _ = build(world.request(module_data_folder, name="cut", min_score=cut))
    expected = [row for row, score in zip(synapses(plain), plain["synapse.confidence"], strict=True) if score >= cut]
    assert synapses(rows) == expected
    assert summary.clefts_of_low_score == len(plain["synapse.cleft_id"]) - len(expected) > 0
    assert np.array_equal(plain["candidate.cleft_id"], rows["candidate.cleft_id"])
    with Database.open(None, module_data_folder) as database:
        states = database.columns(
            "SELECT count(*) AS n FROM cleft JOIN run USING (run_id) WHERE name = 'cut' AND cleft.state = 'low_score'"
        )
    assert states["n"][0] == summary.clefts_of_low_score
