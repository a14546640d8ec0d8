"""Outputs of networks for a box, kept on disk: tuning again needs no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import whole_clefts
from connectome.errors import StorageError
from connectome.files import whole_file
from connectome.geometry import Box, Triple
from connectome.networks.checkpoint import Checkpoint
from connectome.partners.assignment import RuleRange, ScoredCleft, score_clefts
from connectome.pipeline.resume import identity
from connectome.pipeline.steps import Steps, blended, patch_batches
from connectome.records import Clefts, Progress
from connectome.tuning.annotated_volume import OpenVolume
from connectome.tuning.scored_clefts import ScoredClefts
from connectome.volumes.volume import Volume

PREDICTION = "prediction.npy"


class KeptOutputs:
    """The outputs of a detector and an assigner on one box, which is held in memory.

    They lie in a folder that is named by everything they depend on: the weights and how they are used, the volumes,
    the box. What is there is read; what is missing is made by the steps of a build.
    """

    def __init__(self, opened: OpenVolume, folder: Path, progress: Progress) -> None:
        """Keep the outputs in a folder of their own below `folder`."""
        self._opened, self._progress = opened, progress
        self._steps = Steps(inputs=opened.inputs, parameters=opened.parameters)
        self.folder = folder / digest(detector_facts(opened))
        self._assigner_digest = digest(assigner_facts(opened))

    @cached_property
    def prediction(self) -> NDArray[np.uint8]:
        """The prediction of `Steps.predicted_box`: uint8 (z, y, x).

        Raises:
            StorageError: a volume can't be read, or the prediction can't be written.
        """
        path = self.folder / PREDICTION
        if path.exists():
            return _loaded(path)
        prediction = self._predict()
        _make(self.folder)
        (self.folder / "made_of.json").write_text(json.dumps(detector_facts(self._opened), indent=2) + "\n")
        _keep(path, lambda file: np.save(file, prediction))
        return prediction

    def labels(self, threshold: int) -> Volume:
        """The volume of cleft ids at a threshold (1 to 255) as a build of the box writes it, small objects included."""
        path = self.folder / f"clefts-{threshold}.zarr"
        if not (path.with_suffix(".json")).exists():
            self._label(threshold, path)
        return Volume.open(path)

    def clefts(self, threshold: int, min_size_voxels: int) -> Clefts:
        """The clefts of at least a size at a threshold (1 to 255)."""
        self.labels(threshold)
        with np.load(self.folder / f"clefts-{threshold}.npz") as file:
            clefts = Clefts(**file)
        return clefts.take(clefts.size_voxels >= min_size_voxels)

    def scored(self, threshold: int, served: RuleRange, min_size_voxels: int) -> ScoredClefts:
        """The clefts at a threshold with the scores of their candidates.

        Args:
            threshold: 1 to 255.
            served: the rules that are to be tried on them.
            min_size_voxels: smaller clefts aren't needed.

        Raises:
            StorageError: a volume can't be read, or the scores can't be written.
        """
        path = self.folder / f"candidates-{threshold}-{self._assigner_digest}.npz"
        if path.exists():
            kept = ScoredClefts.load(path)
            if kept.covers(served, min_size_voxels):
                return kept.at_least(min_size_voxels)
        clefts = self.clefts(threshold, min_size_voxels)
        scored = self._score(clefts, self.labels(threshold), served)
        if not any(one.scores.by_pair for one in scored):
            served = replace(served, min_contact=0.0)  # whatever their contact, all were scored
        made = ScoredClefts(clefts=clefts, scored=scored, served=served, min_size_voxels=min_size_voxels)
        made.save(path)
        return made

    def _predict(self) -> NDArray[np.uint8]:
        box, lattice, predictor = self._steps.predicted_box, self._steps.lattice, self._steps.tile_predictor()
        tile_size = box.size_voxels // max(len(lattice.cells_overlapping(box)), 1)
        self._progress.start(f"predict {self._opened.volume.name}", box.size_voxels)

        def read_tile(cell: Triple, part: Box) -> NDArray[np.uint8]:
            output = predictor.outputs([cell])[0][part.slices()]
            self._progress.advance(tile_size)
            return output

        prediction = blended(lattice, box, read_tile)
        self._progress.finish()
        return prediction

    def _label(self, threshold: int, path: Path) -> None:
        """Write the labels and the clefts at a threshold; the mark comes last."""
        steps, box = self._steps, self._opened.inputs.box
        labelled = steps.labelled(box, self._predicted(steps.seen_box(box)), threshold)
        steps.create_volume(path, np.uint64).write(box, labelled.labels())
        grid = steps.working_grid
        clefts = whole_clefts(labelled.fragments, 1, grid.resolution_nm, grid.offset_nm)
        _keep(self.folder / f"clefts-{threshold}.npz", lambda file: np.savez_compressed(file, **vars(clefts)))
        mark = json.dumps({"clefts": len(clefts)}).encode()
        _keep(path.with_suffix(".json"), lambda file: file.write(mark))

    def _predicted(self, box: Box) -> NDArray[np.uint8]:
        return self.prediction[box.slices(self._steps.predicted_box.start)]

    def _score(self, clefts: Clefts, labels: Volume, served: RuleRange) -> tuple[ScoredCleft, ...]:
        resolution_nm = self._opened.inputs.resolution_nm
        assigner, reader = self._steps.open_assigner(), self._steps.patch_reader(labels, self._predicted)
        scored: list[ScoredCleft] = []
        self._progress.start(f"assign {self._opened.volume.name}", len(clefts), unit="clefts")
        for own, _, patches in patch_batches(clefts, reader):
            scored += score_clefts(patches, assigner, served, resolution_nm, reader.shape)
            self._progress.advance(len(own))
        self._progress.finish()
        return tuple(scored)


def detector_facts(opened: OpenVolume) -> dict[str, Any]:
    """Everything that the prediction and the labels depend on."""
    inputs, parameters = opened.inputs, opened.parameters
    return {
        "detector": _model_facts(inputs.detector),
        "image": identity(inputs.image.volume),
        "segmentation": identity(inputs.segmentation.volume),
        "box": str(inputs.box),
        "tiles": asdict(parameters.tiles),
        "connectivity": int(parameters.connectivity),
        "grey_range": None if parameters.grey_range is None else asdict(parameters.grey_range),
    }


def assigner_facts(opened: OpenVolume) -> dict[str, Any]:
    """What the scores depend on besides."""
    assigner = opened.inputs.assigner
    model = None if assigner.checkpoint is None else _model_facts(assigner.checkpoint)
    return {"assigner": model, "direction": assigner.direction(opened.inputs.detector.card.method)}


def _model_facts(model: Checkpoint) -> dict[str, Any]:
    card = model.card
    return {
        "weights": model.weights_sha256,
        "method": str(card.method),
        "normalisation": vars(card.normalisation),
        "patch_shape": list(card.patch_shape),
        "resolution_nm": list(card.resolution_nm),
    }


def digest(facts: dict[str, Any]) -> str:
    """A short name that is the same for equal facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _keep(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file, which appears whole.

    Raises:
        StorageError: it can't be written.
    """
    with whole_file(path) as file:
        write(file)


def _loaded(path: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(np.load(path), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise StorageError(f"{path} can't be read: delete it, it will be made again") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} can't be made: {error.strerror}", about="data_folder") from error
