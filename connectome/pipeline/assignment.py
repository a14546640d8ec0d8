"""Accuracy of an assigner on annotated clefts, without a run and without a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError, ResolutionError
from connectome.evaluate.assignment import AssignmentScore, Pair, score_assignment_pairs
from connectome.formats import Reference, open_reference
from connectome.geometry import Box, NmTriple, Triple, triple, voxel_at_nm, voxel_centre_nm, whole_factors
from connectome.networks.checkpoint import ModelCard, ModelRole
from connectome.networks.device import DeviceChoice, choose_device
from connectome.partners.assignment import AssignmentRules, CleftPatch, assign, patch_start
from connectome.partners.networked import open_assigner
from connectome.partners.scores import Assigner
from connectome.pipeline.inputs import VolumePair, open_pair
from connectome.pipeline.models import load_model
from connectome.records import NoProgress, Progress, ReferenceSynapse

PATCHES_A_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class AssignmentRequest:
    """What to score.

    Attributes:
        image, segmentation: URLs of the volumes.
        reference: a CREMI file, or a folder as imports and phantoms write it.
        box: only clefts whose centroid lies in it, in voxels of the segmentation; None: all.
        assigner: path of a checkpoint; None: the shipped one.
        device: auto, cpu or cuda.
    """

    image: str
    segmentation: str
    reference: Path
    box: Box | None = None
    assigner: str | None = None
    device: str = "auto"


class ReferenceMasks:
    """Annotated clefts read on the working grid."""

    def __init__(self, reference: Reference, pair: VolumePair) -> None:
        """Lay the working grid over the reference.

        Raises:
            ResolutionError: its voxels don't fit the working grid.
        """
        view, grid = pair.segmentation, reference.grid
        self.reference = reference
        self.factors: Triple = whole_factors(view.resolution_nm, grid.resolution_nm)
        gaps = zip(view.offset_nm, grid.offset_nm, grid.resolution_nm, strict=True)
        shift = [(anchor - offset) / fine for anchor, offset, fine in gaps]
        if any(abs(value - round(value)) > 1e-2 for value in shift):
            raise ResolutionError(
                "the reference isn't aligned to the segmentation: their offsets differ by part voxels"
            )
        self._shift = triple(round(value) for value in shift)

    def read(self, box: Box, cleft_id: int) -> NDArray[np.bool_]:
        """Which working voxels (z, y, x) of `box` belong to an annotated cleft."""
        fine = Box(
            triple(a * f + s for a, f, s in zip(box.start, self.factors, self._shift, strict=True)),
            triple(b * f + s for b, f, s in zip(box.stop, self.factors, self._shift, strict=True)),
        )
        inside = fine.intersect(self.reference.grid.box)
        mask = np.zeros(fine.shape, bool)
        if not inside.is_empty:
            mask[inside.slices(fine.start)] = self.reference.read_clefts(inside) == np.uint64(cleft_id)
        z, y, x = self.factors
        return mask[z // 2 :: z, y // 2 :: y, x // 2 :: x]


def score_assignment(request: AssignmentRequest, progress: Progress | None = None) -> AssignmentScore:
    """Assign partners to the annotated clefts and compare with the annotated ones.

    Raises:
        InputError: a volume or the reference is missing or doesn't fit; no annotated cleft lies in the box.
        CheckpointError, DeviceError: see the message.
    """
    shown = progress or NoProgress()
    device = choose_device(DeviceChoice(str(request.device)))
    checkpoint = load_model(ModelRole.ASSIGNER, request.assigner)
    pair = open_pair(request.image, request.segmentation, None, checkpoint.card.resolution_nm)
    reference = open_reference(request.reference)
    synapses = [s for s in reference.synapses() if _lies_in(request.box, s, reference, pair)]
    if not synapses:
        raise ReferenceDataError(f"{request.reference}: no annotated cleft has its centroid in the box {request.box}")
    masks = ReferenceMasks(reference, pair)
    assigner = open_assigner(checkpoint.card, checkpoint.network, device)
    clefts = list({synapse.cleft_id: synapse for synapse in synapses}.values())
    chosen: dict[int, Pair | None] = {}
    shown.start("assign", len(clefts), unit="clefts")
    for first in range(0, len(clefts), PATCHES_A_BATCH):
        batch = clefts[first : first + PATCHES_A_BATCH]
        chosen |= _choose(batch, masks, pair, assigner, checkpoint.card)
        shown.advance(len(batch))
    shown.finish()
    return score_assignment_pairs(synapses, chosen)


def _lies_in(box: Box | None, synapse: ReferenceSynapse, reference: Reference, pair: VolumePair) -> bool:
    """Whether a cleft's centroid lies in a box of voxels of the segmentation."""
    given, wanted = reference.grid, pair.segmentation.volume.grid
    point_nm = voxel_centre_nm(synapse.centroid_voxel, given.resolution_nm, given.offset_nm)
    sides = zip(point_nm, wanted.offset_nm, wanted.resolution_nm, strict=True)
    z, y, x = (round((point - offset) / side - 0.5, 3) for point, offset, side in sides)
    return box is None or box.contains_point((z, y, x))


def _choose(
    clefts: list[ReferenceSynapse], masks: ReferenceMasks, pair: VolumePair, assigner: Assigner, card: ModelCard
) -> dict[int, Pair | None]:
    shape = card.patch_shape
    boxes = [Box.of_shape(shape, patch_start(_centre(cleft, masks, pair), shape)) for cleft in clefts]
    patches = [
        CleftPatch(
            image=pair.image.read(box),
            segmentation=pair.segmentation.read(box),
            mask=masks.read(box, cleft.cleft_id),
        )
        for cleft, box in zip(clefts, boxes, strict=True)
    ]
    rules = AssignmentRules.of(card.parameters)
    found = assign(patches, assigner, rules, pair.segmentation.resolution_nm)
    chosen: dict[int, Pair | None] = {}
    for cleft, partners in zip(clefts, found, strict=True):
        ids: NDArray[Any] = partners.candidates.segment_id
        both = partners.pair
        chosen[cleft.cleft_id] = None if both is None else (int(ids[both[0]]), int(ids[both[1]]))
    return chosen


def _centre(cleft: ReferenceSynapse, masks: ReferenceMasks, pair: VolumePair) -> Triple:
    """The working voxel that holds the centroid of an annotated cleft."""
    grid = masks.reference.grid
    view = pair.segmentation
    if masks.factors == (1, 1, 1):
        whole = triple(int(c // 1) - s for c, s in zip(cleft.centroid_voxel, masks._shift, strict=True))
        return whole
    point: NmTriple = voxel_centre_nm(cleft.centroid_voxel, grid.resolution_nm, grid.offset_nm)
    return voxel_at_nm(point, view.resolution_nm, view.offset_nm)
