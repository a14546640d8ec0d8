"""Validation: scores of the averaged network on data that it isn't trained on, by the rules of a build.

Of a detector the clefts that a build would find; of an assigner the partners that a build would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, label_block
from connectome.clefts.predict import CleftPredictor
from connectome.clefts.representations import Representation
from connectome.evaluate.clefts import CleftCounts, OverlapCounter, OverlapTable, count_clefts
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box, NmTriple, Triple, Vector, triple
from connectome.models.assigners import open_assigner
from connectome.networks.checkpoint import Checkpoint, Method, ModelCard
from connectome.partners.assignment import assign
from connectome.partners.scores import CleftPatch
from connectome.pipeline.chosen import rules_of
from connectome.pipeline.parameters import ASSIGNER, BuildParameters, chosen_values
from connectome.training.data.annotated_cleft import Pair
from connectome.training.data.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples.augment import SampleShape
from connectome.training.samples.places import is_cleft

Validate = Callable[[Trainer, list[Dataset], SampleShape], dict[str, Any]]
"""Metrics of the averaged network on held-out data, by name; none where there is no such data."""
DETECTOR_METRICS = ("object_f1", "voxel_f1")
ASSIGNER_METRICS = ("assignment_accuracy",)
CLEFTS_A_CALL = 4
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MIN_SIZES_UM3 = (0.0002, 0.0004, 0.0006)
"""Smaller objects are dropped: 46, 93 and 139 voxels of 12x12x30 nm."""
HALO: Triple = (3, 12, 12)
MOST_AT_ONCE: Triple = (26, 232, 232)
"""Voxels that are predicted in one pass, without their halo: what fits a small GPU or a laptop."""


def detector_validation(method: Method) -> Validate:
    """The measure of a detector of one representation: by the clefts it is decoded to, comparable for all."""

    def validate(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
        """Object-level precision, recall and F1 at the best threshold and minimum size, voxel-level F1 at the same.

        Empty without held-out sources.
        """
        if not held_out:
            return {}
        choices = list(product(THRESHOLDS, MIN_SIZES_UM3))
        objects = {choice: CleftCounts(found=0, false=0, missed=0) for choice in choices}
        voxels = {threshold: CleftCounts(found=0, false=0, missed=0) for threshold in THRESHOLDS}
        for data in held_out:
            strength = _strength(method, trainer, data, shape)
            labels = data.read(data.clefts, data.box)
            wanted = {synapse.cleft_id for synapse in data.synapses}
            for threshold in THRESHOLDS:
                overlaps = _overlaps(strength, labels, threshold)
                voxels[threshold] += _count_voxels(strength >= round(255 * threshold), labels)
                for size in MIN_SIZES_UM3:
                    at_least = _voxels_of(size, data.resolution_nm)
                    objects[threshold, size] += count_clefts(overlaps, wanted, at_least)
        threshold, size = max(choices, key=lambda choice: (objects[choice].f1, voxels[choice[0]].f1))
        best = objects[threshold, size]
        return {
            "object_f1": best.f1,
            "object_precision": best.precision,
            "object_recall": best.recall,
            "voxel_f1": voxels[threshold].f1,
            "clefts": best.found + best.missed,
            "at_threshold": threshold,
            "at_min_size_voxels": _voxels_of(size, held_out[0].resolution_nm),
        }

    return validate


def _strength(method: Method, trainer: Trainer, data: Dataset, shape: SampleShape) -> NDArray[np.uint8]:
    """The strength of a cleft at each voxel (z, y, x) of the box; 255 = certain."""
    network = trainer.result()
    card = ModelCard(
        name="",
        method=method,
        network=network.config,
        resolution_nm=data.resolution_nm,
        patch_shape=shape.patch_shape,
        normalisation=shape.normalisation,
    )
    predictor = CleftPredictor(Checkpoint(card=card, network=network, sha256="", path=Path()), trainer.device)
    prediction = np.empty(data.box.shape, np.uint8)
    for part in _parts(data.box):
        low, high = _context(part.shape, network.config.multiple)
        tile = _mirrored(data, part.grow(low, high))
        inside = part.shift(Vector(low) - part.start)
        prediction[part.slices(data.box.start)] = predictor.predict(tile[None])[0][inside.slices()]
    return Representation(method, data.resolution_nm).strength(prediction)


def _parts(box: Box) -> Iterator[Box]:
    """The box in parts of about equal shape, none larger than `MOST_AT_ONCE`."""
    cuts = [
        np.linspace(a, b, -(-(b - a) // most) + 1).astype(int).tolist()
        for a, b, most in zip(box.start, box.stop, MOST_AT_ONCE, strict=True)
    ]
    for places in product(*(range(len(cut) - 1) for cut in cuts)):
        yield Box(
            triple(cut[i] for cut, i in zip(cuts, places, strict=True)),
            triple(cut[i + 1] for cut, i in zip(cuts, places, strict=True)),
        )


def _context(shape: Triple, multiple: Triple) -> tuple[Triple, Triple]:
    """What to add before and after a part: the halo, and after it what makes the sides multiples."""
    with_halo = Vector(shape) + Vector(HALO) * 2
    return HALO, with_halo.ceil_div(multiple) * multiple - with_halo + HALO


def _mirrored(data: Dataset, box: Box) -> NDArray[np.uint8]:
    """The image (z, y, x) of `box`; beyond what may be seen its mirror image, as a build mirrors at the border."""
    inside = box.intersect(data.box)
    return np.pad(data.read(data.image, inside), box.margins(inside), mode="symmetric")


def _overlaps(strength: NDArray[np.uint8], labels: NDArray[Any], threshold: float) -> OverlapTable:
    whole = Box.of_shape(triple(strength.shape))
    found = label_block(strength, whole, triple(strength.shape), round(255 * threshold), Connectivity.CORNERS)
    counter = OverlapCounter(background=(0, BACKGROUND), ignore=IGNORE)
    counter.add(found.labels(), labels.astype(np.uint64, copy=False))
    return counter.table()


def _count_voxels(predicted: NDArray[np.bool_], labels: NDArray[Any]) -> CleftCounts:
    known, true = labels != IGNORE, is_cleft(labels)
    found = int((predicted & true).sum())
    return CleftCounts(found=found, false=int((predicted & known).sum()) - found, missed=int(true.sum()) - found)


def _voxels_of(size_um3: float, resolution_nm: NmTriple) -> int:
    z, y, x = resolution_nm
    return max(round(size_um3 * 1e9 / (z * y * x)), 1)


def assignment_validation(method: Method, parameters: Mapping[str, float]) -> Validate:
    """A validation of assigners of `method` whose checkpoint recommends `parameters`."""

    def validate(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
        """Clefts and the share of them that get an annotated pair; empty without held-out sources."""
        if not held_out:
            return {}
        network = trainer.result()
        n, right, wrong_way = 0, 0, 0
        for data in held_out:
            card = ModelCard(
                name="",
                method=method,
                network=network.config,
                resolution_nm=data.resolution_nm,
                patch_shape=shape.patch_shape,
                normalisation=shape.normalisation,
                parameters=dict(parameters),
            )
            for true, chosen in _chosen(data, trainer, card):
                n += 1
                right += any(pair in true for pair in chosen)
                wrong_way += any(pair[::-1] in true and pair not in true for pair in chosen)
        return {"clefts": n, "assignment_accuracy": right / max(n, 1), "wrong_direction": wrong_way / max(n, 1)}

    return validate


def _chosen(data: Dataset, trainer: Trainer, card: ModelCard) -> list[tuple[set[Pair], list[Pair]]]:
    """The annotated pairs of each cleft, and the chosen one if there is one."""
    assigner = open_assigner(card, trainer.result(), trainer.device)
    values = chosen_values({"polyadic": False}, {ASSIGNER: card.parameters})
    rules = rules_of(BuildParameters(**values))
    found: list[tuple[set[Pair], list[Pair]]] = []
    clefts = data.annotated_clefts
    for first in range(0, len(clefts), CLEFTS_A_CALL):
        part = clefts[first : first + CLEFTS_A_CALL]
        centres = [triple(c // 1 for c in cleft.centroid_voxel) for cleft in part]
        boxes = [Box.around(centre, card.patch_shape) for centre in centres]
        patches = [
            CleftPatch(
                image=data.read(data.image, box),
                segmentation=data.read(data.segmentation, box),
                mask=data.read(data.clefts, box) == cleft.cleft_id,
            )
            for cleft, box in zip(part, boxes, strict=True)
        ]
        for cleft, partners in zip(part, assign(patches, assigner, rules, data.resolution_nm), strict=True):
            found.append((set(cleft.pairs), partners.segments()))
    return found
