"""What networks say of a box, computed once and kept on disk: tuning again needs no network."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, label_block
from connectome.clefts.objects import WholeClefts, whole_clefts
from connectome.clefts.predict import CleftPredictor
from connectome.clefts.representations import Representation, signed_values
from connectome.clefts.tiling import TileLattice
from connectome.errors import StorageError
from connectome.files import whole_file
from connectome.geometry import Box, Triple, triple
from connectome.partners.patches import PATCHES_A_BATCH, PatchReader, batches
from connectome.pipeline.context import chunk_shape, predicted_box
from connectome.pipeline.normalisation import as_model_sees
from connectome.pipeline.stages.label import blended
from connectome.pipeline.stages.predict import TilePredictor
from connectome.records import Progress
from connectome.tuning.annotated_volume import OpenVolume
from connectome.tuning.output_facts import assigner_facts, detector_facts, digest
from connectome.tuning.scored_clefts import Reach, ScoredCandidates, ScoredClefts, score_at_dilations
from connectome.volumes.volume import Volume

PREDICTION = "prediction.npy"


class KeptOutputs:
    """The outputs of a detector and an assigner on one box, which is held in memory.

    They lie in a folder that is named by everything they depend on: the weights and how they are used, the volumes,
    the box. What is there is used; what is missing is computed.
    """

    def __init__(self, opened: OpenVolume, folder: Path, progress: Progress) -> None:
        """Keep the outputs in a folder of their own below `folder`."""
        self._opened, self._progress = opened, progress
        self.folder = folder / digest(detector_facts(opened))
        self._representation = Representation(opened.parameters.representation, opened.inputs.resolution_nm)
        self._predicted = predicted_box(opened.inputs, self._representation)
        self._assigner_digest = digest(assigner_facts(opened))

    def prediction(self) -> NDArray[np.uint8]:
        """The blended prediction of what `BuildContext.predicted_box` is for the box: uint8 (z, y, x).

        Raises:
            StorageError: a volume can't be read, or the prediction can't be written.
        """
        path = self.folder / PREDICTION
        if path.exists():
            return _loaded(path)
        prediction = self._predict()
        _make(self.folder)
        (self.folder / "made_of.json").write_text(json.dumps(detector_facts(self._opened), indent=2) + "\n")
        with whole_file(path) as file:
            np.save(file, prediction)
        return prediction

    def labels(self, threshold: int) -> Volume:
        """The volume of cleft ids at a threshold (1 to 255) as a build of the box writes it, small objects included."""
        path = self.folder / f"clefts-{threshold}.zarr"
        if not (path.with_suffix(".json")).exists():
            self._label(threshold)
        return Volume.open(path)

    def clefts(self, threshold: int, min_size_voxels: int) -> WholeClefts:
        """The clefts of at least a size at a threshold (1 to 255)."""
        self.labels(threshold)
        with np.load(self.folder / f"clefts-{threshold}.npz") as file:
            return _chosen(WholeClefts(**file), min_size_voxels)

    def scored(self, threshold: int, reach: Reach, min_size_voxels: int) -> ScoredClefts:
        """The clefts at a threshold with the scores of their candidates.

        Args:
            threshold: 1 to 255.
            reach: the choices that are to be made among them.
            min_size_voxels: smaller clefts aren't needed.

        Raises:
            StorageError: a volume can't be read, or the scores can't be written.
        """
        path = self.folder / f"scores-{threshold}-{self._assigner_digest}.npz"
        if path.exists():
            kept = ScoredClefts.load(path)
            if kept.covers(reach, min_size_voxels):
                return kept.at_least(min_size_voxels)
        clefts = self.clefts(threshold, min_size_voxels)
        candidates = self._score(clefts, self.labels(threshold), reach)
        if not any(one.scores.by_pair for one in candidates):
            reach = replace(reach, min_contact=0.0)  # whatever their contact, all were scored
        scored = ScoredClefts(clefts=clefts, candidates=candidates, reach=reach, min_size_voxels=min_size_voxels)
        scored.save(path)
        return scored

    def _predict(self) -> NDArray[np.uint8]:
        inputs, parameters = self._opened.inputs, self._opened.parameters
        lattice = TileLattice(inputs.shape, parameters.tiles, inputs.detector.card.network.multiple)
        predictor = TilePredictor(
            network=CleftPredictor(inputs.detector, inputs.device),
            image=as_model_sees(inputs.image, parameters.grey_range, inputs.detector.card.normalisation),
            segmentation=inputs.segmentation,
            lattice=lattice,
        )
        tile_size = self._predicted.size_voxels // max(len(lattice.cells_overlapping(self._predicted)), 1)
        self._progress.start(f"predict {self._opened.volume.name}", self._predicted.size_voxels)

        def read_tile(cell: Triple, part: Box) -> NDArray[np.uint8]:
            output = predictor.outputs([cell])[0][part.slices()]
            self._progress.advance(tile_size)
            return output

        prediction = blended(lattice, self._predicted, read_tile)
        self._progress.finish()
        return prediction

    def _label(self, threshold: int) -> None:
        """Write the labels and the clefts at a threshold; the mark comes last."""
        inputs, path = self._opened.inputs, self.folder / f"clefts-{threshold}.zarr"
        connectivity = Connectivity(self._opened.parameters.connectivity)
        labelled = label_block(self._strength, inputs.box, inputs.shape, threshold, connectivity)
        volume = Volume.create(
            path,
            shape=inputs.shape,
            dtype=np.uint64,
            resolution_nm=inputs.resolution_nm,
            offset_nm=inputs.offset_nm,
            chunk_shape=chunk_shape(self._opened.parameters.block_shape),
            overwrite=True,
        )
        volume.write(inputs.box, labelled.labels())
        clefts = whole_clefts(labelled.fragments, 1, inputs.resolution_nm, inputs.offset_nm)
        with whole_file(self.folder / f"clefts-{threshold}.npz") as file:
            np.savez_compressed(file, **vars(clefts))
        with whole_file(path.with_suffix(".json")) as file:
            file.write(json.dumps({"clefts": len(clefts.cleft_id)}).encode())

    @cached_property
    def _strength(self) -> NDArray[np.uint8]:
        """How strongly each voxel of the box is a cleft: uint8 (z, y, x)."""
        strength = self._representation.strength(self._kept_prediction)
        return np.ascontiguousarray(strength[self._opened.inputs.box.slices(self._predicted.start)])

    def _proximity(self, box: Box) -> NDArray[np.float32] | None:
        """See `BuildContext.proximity`."""
        if not self._representation.is_signed:
            return None
        built = self._opened.inputs.box
        shared = box.intersect(built)
        return signed_values(self._kept_prediction[shared.slices(self._predicted.start)], box, built)

    @cached_property
    def _kept_prediction(self) -> NDArray[np.uint8]:
        return self.prediction()

    def _score(self, clefts: WholeClefts, labels: Volume, reach: Reach) -> tuple[ScoredCandidates, ...]:
        inputs, parameters = self._opened.inputs, self._opened.parameters
        assigner = inputs.assigner.open(inputs.device, inputs.resolution_nm, inputs.detector.card.method)
        reader = PatchReader(
            image=as_model_sees(inputs.image, parameters.grey_range, inputs.assigner.normalisation),
            segmentation=inputs.segmentation,
            clefts=labels,
            shape=inputs.assigner.patch_shape(inputs.resolution_nm),
            proximity=self._proximity,
        )
        scored: list[ScoredCandidates] = []
        self._progress.start(f"assign {self._opened.volume.name}", len(clefts.cleft_id), unit="clefts")
        extents = [Box(triple(a), triple(b)) for a, b in zip(clefts.start, clefts.stop, strict=True)]
        seen = [(extent, reader.box(centre, extent)) for centre, extent in zip(clefts.centre, extents, strict=True)]
        for part in batches([box.size_voxels for _, box in seen], PATCHES_A_BATCH * math.prod(reader.shape)):
            patches = reader.read(clefts.cleft_id[part], seen[part])
            scored += score_at_dilations(patches, assigner, reach, (inputs.resolution_nm, reader.shape))
            self._progress.advance(len(patches))
        self._progress.finish()
        return tuple(scored)


def _chosen(clefts: WholeClefts, min_size_voxels: int) -> WholeClefts:
    kept = clefts.size_voxels >= min_size_voxels
    return WholeClefts(**{name: values[kept] for name, values in vars(clefts).items()})


def _loaded(path: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(np.load(path), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise StorageError(f"{path} can't be read: delete it, it will be made again") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} can't be made: {error.strerror}; choose another --data-folder") from error
