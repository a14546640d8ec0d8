"""Scoring a run of a real store against a reference file."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from scored_run import FIRST_SEGMENT, IGNORE, RESOLUTION_NM, SHAPE, pair_of, predicted_world, write_reference, write_run

from connectome.errors import (
    BoxError,
    IncompleteRunError,
    RunNotFoundError,
    VolumeNotFoundError,
)
from connectome.evaluate.edges import EdgeScore, Reason
from connectome.geometry import Box
from connectome.scoring import comparison
from connectome.scoring.edges import score_edges
from connectome.store.database import Database
from connectome.store.runs.records import RunState
from connectome.store.runs.runs import set_state
from connectome.volumes.volume import Volume

WHOLE = Box.of_shape(SHAPE)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return write_reference(tmp_path / "reference.hdf")


def _counts(score: EdgeScore) -> tuple[int, int, int, int]:
    """Predicted, annotated, true positives, ignored."""
    return score.n_predicted, score.n_reference, score.true_positives, score.n_ignored


def test_a_run_is_scored_against_a_reference(database: Database, tmp_path: Path, reference: Path) -> None:
    write_run(database, tmp_path / "run")
    score = score_edges(database, "small", reference)
    assert _counts(score) == (6, 5, 3, 1)
    assert (score.precision, score.recall, score.box) == (0.5, 0.6, WHOLE)
    assert [s.reference_cleft_id for s in score.true_positive_synapses] == [1, 3, 5]
    assert sorted((s.reason, s.reference_cleft_id or 0) for s in score.false_positive_synapses) == [
        (Reason.DUPLICATE, 3),
        (Reason.NO_CLEFT, 0),
        (Reason.WRONG_PARTNERS, 2),
    ]
    assert [(s.reason, s.reference_cleft_id) for s in score.false_negative_synapses] == [
        (Reason.WRONG_PARTNERS, 2),
        (Reason.MISSED, 4),
    ]
    assert [s.pre_segment_id for s in score.ignored_synapses] == [FIRST_SEGMENT + 10]


def test_the_score_does_not_depend_on_the_blocks(
    database: Database, tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(database, tmp_path / "run")
    whole = score_edges(database, "small", reference)
    monkeypatch.setattr(comparison, "BLOCK_SHAPE", (3, 7, 5))
    assert score_edges(database, "small", reference) == whole


def test_a_box_chooses_by_centroid(database: Database, tmp_path: Path, reference: Path) -> None:
    write_run(database, tmp_path / "run")
    assert _counts(score_edges(database, "small", reference, Box.parse("0:8,0:40,0:20"))) == (2, 2, 1, 0)
    assert _counts(score_edges(database, "small", reference, Box.parse("0:8,0:40,20:60"))) == (4, 3, 2, 1)


def test_a_perfect_run_scores_one(database: Database, tmp_path: Path, reference: Path) -> None:
    with h5py.File(reference) as file:
        labels = file["volumes/labels/clefts"][()]
    labels[labels >= IGNORE] = 0
    write_run(database, tmp_path / "run", labels=labels, partners={c + 1: [pair_of(c)] for c in range(5)})
    score = score_edges(database, "small", reference)
    assert (score.f1, score.n_predicted, score.n_ignored) == (1.0, 5, 0)


def test_a_centroid_in_ignored_space_counts_neither_way_though_no_voxel_lies_there(
    database: Database, tmp_path: Path, reference: Path
) -> None:
    labels = np.zeros(SHAPE, np.uint64)
    labels[2:6, 17:19, 52:58] = labels[2:6, 21:23, 52:58] = 9
    write_run(database, tmp_path / "run", labels=labels, partners={9: [pair_of(5)]})
    assert _counts(score_edges(database, "small", reference)) == (0, 5, 0, 1)


def test_a_reference_on_a_part_of_the_segmentation_is_shifted(database: Database, tmp_path: Path) -> None:
    offset = (-60.0, -24.0, -36.0)
    write_run(database, tmp_path / "run", offset_nm=offset)
    reference = write_reference(tmp_path / "shifted.hdf", offset_nm=offset)
    unshifted = score_edges(database, "small", reference)
    assert _counts(unshifted) == (6, 5, 3, 1)

    padded = np.zeros(tuple(n + p for n, p in zip(SHAPE, (2, 2, 3), strict=True)), np.uint64)
    labels, partners = predicted_world()
    padded[2:, 2:, 3:] = labels
    write_run(database, tmp_path / "padded", name="padded", labels=padded, partners=partners, offset_nm=offset)
    reference = write_reference(tmp_path / "part.hdf")
    score = score_edges(database, "padded", reference)
    assert _counts(score) == (6, 5, 3, 1)
    assert score.box == WHOLE.shift((2, 2, 3))


def test_clefts_of_a_coarser_working_resolution_are_compared_at_the_references(
    database: Database, tmp_path: Path, reference: Path
) -> None:
    labels = np.zeros((8, 20, 30), np.uint64)
    labels[2:6, 9:11, 1:4], labels[2:6, 9:11, 6:9] = 7, 8
    write_run(
        database,
        tmp_path / "run",
        labels=labels,
        partners={7: [pair_of(0)], 8: [pair_of(2)]},
        resolution_nm=(30.0, 24.0, 24.0),
    )
    score = score_edges(database, "small", reference, Box.parse("0:8,0:40,0:20"))
    assert [(s.cleft_id, s.overlap_voxels) for s in score.true_positive_synapses] == [(7, 48)]
    assert [(s.cleft_id, s.reference_cleft_id) for s in score.false_positive_synapses] == [(8, 2)]
    assert score_edges(database, "small", reference).box == WHOLE


def test_a_box_beyond_the_run_is_scored_with_a_warning(
    database: Database, tmp_path: Path, reference: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels, partners = predicted_world()
    inside = {c: pairs for c, pairs in partners.items() if (labels[:, :, :20] == c).any()}
    write_run(database, tmp_path / "run", labels=labels[:, :, :20].copy(), partners=inside)
    assert score_edges(database, "small", reference).box == Box.parse("0:8,0:40,0:20")
    with caplog.at_level(logging.WARNING):
        assert score_edges(database, "small", reference, WHOLE).n_reference == 5
    assert "reaches beyond run 'small'" in caplog.text


@pytest.mark.parametrize("box", ["0:9,0:40,0:60", "-1:8,0:40,0:60", "20:30,50:60,70:80"])
def test_a_box_outside_the_reference_is_refused(database: Database, tmp_path: Path, reference: Path, box: str) -> None:
    write_run(database, tmp_path / "run")
    with pytest.raises(BoxError, match="lies outside the reference, which covers 0:8,0:40,0:60"):
        score_edges(database, "small", reference, Box.parse(box))


def test_a_reference_elsewhere_is_refused(database: Database, tmp_path: Path) -> None:
    write_run(database, tmp_path / "run")
    reference = write_reference(tmp_path / "far.hdf", offset_nm=(3000.0, 0.0, 0.0))
    with pytest.raises(BoxError, match="don't overlap"):
        score_edges(database, "small", reference)


def test_a_reference_between_the_voxels_of_the_segmentation_is_scored(database: Database, tmp_path: Path) -> None:
    write_run(database, tmp_path / "run")
    between = write_reference(tmp_path / "between.hdf", offset_nm=(0.0, 4.0, 4.0))
    assert _counts(score_edges(database, "small", between)) == (6, 5, 3, 1)


def test_clefts_on_a_grid_of_no_simple_ratio_are_scored_alike(
    database: Database, tmp_path: Path, reference: Path
) -> None:
    labels, partners = predicted_world()
    rows, columns = (((np.arange(n * 3 // 2) + 0.5) * 8 // 12).astype(int) for n in SHAPE[1:])
    finer = np.ascontiguousarray(labels[:, rows][:, :, columns])
    write_run(database, tmp_path / "run", labels=finer, partners=partners, resolution_nm=(30.0, 8.0, 8.0))
    score = score_edges(database, "small", reference)
    assert _counts(score) == (6, 5, 3, 1)
    assert score.box == WHOLE


def test_a_reference_without_an_id_in_common_is_told(
    database: Database, tmp_path: Path, reference: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels, partners = predicted_world()
    others = {c: [(pre + 10**6, post + 10**6) for pre, post in pairs] for c, pairs in partners.items()}
    write_run(database, tmp_path / "run", labels=labels, partners=others)
    with caplog.at_level(logging.WARNING):
        assert score_edges(database, "small", reference).true_positives == 0
    assert "it annotates another segmentation" in caplog.text


def test_runs_that_cannot_be_scored_are_refused(database: Database, tmp_path: Path, reference: Path) -> None:
    run = write_run(database, tmp_path / "run")
    with pytest.raises(RunNotFoundError, match="small"):
        score_edges(database, "large", reference)
    set_state(database, run.run_id, RunState.RUNNING)
    with pytest.raises(IncompleteRunError, match="is running, not finished"):
        score_edges(database, "small", reference)


def test_a_run_without_its_label_volume_is_refused(database: Database, tmp_path: Path, reference: Path) -> None:
    run = write_run(database, tmp_path / "run")
    Volume.create(run.folder / "clefts.zarr", shape=SHAPE, dtype=np.uint64, resolution_nm=RESOLUTION_NM, overwrite=True)
    with pytest.raises(IncompleteRunError, match="holds none of the run's"):
        score_edges(database, "small", reference)
    (run.folder / "clefts.zarr").rename(run.folder / "gone.zarr")
    with pytest.raises(VolumeNotFoundError, match=r"clefts\.zarr"):
        score_edges(database, "small", reference)


def test_scores_and_graphs_need_no_torch() -> None:
    code = "import sys, connectome.scoring.edges, connectome.query.graphs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_reference_is_one_clear_error(database: Database, tmp_path: Path) -> None:
    write_run(database, tmp_path / "run")
    with pytest.raises(VolumeNotFoundError, match="absent"):
        score_edges(database, "small", tmp_path / "absent.hdf")
