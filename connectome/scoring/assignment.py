"""Accuracy of an assigner on annotated clefts, without a run and without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import ReferenceDataError
from connectome.evaluate.assignment import (
    AssignmentScore,
    Pair,
    PartnerSetScore,
    score_assignment_pairs,
    score_partner_sets,
)
from connectome.formats.opening import open_reference
from connectome.geometry import Box, NmTriple
from connectome.models.assigners import ChosenAssigner, choose_assigner
from connectome.models.lookup import model_path
from connectome.networks.checkpoint import ModelCard, ModelRole, read_card
from connectome.networks.device import DeviceChoice, choose_device
from connectome.partners.assignment import AssignmentRules, assign
from connectome.partners.scores import Assigner, CleftPatch
from connectome.pipeline.chosen import rules_of
from connectome.pipeline.inputs import as_model_sees, choose_grey_range, model_grid
from connectome.pipeline.pair import VolumePair, open_pair
from connectome.pipeline.parameters import ASSIGNER, BuildParameters, check_parameters, chosen_values
from connectome.pipeline.request import BuildRequest
from connectome.records import NoProgress, Progress, ReferenceSynapse
from connectome.scoring.reference_masks import ReferenceMasks, lies_in

PATCHES_A_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class AnnotatedAssignment:
    """What was chosen for annotated clefts.

    Attributes:
        polyadic: the mode, in which a cleft may have several pairs.
        reference: the annotated synapses of those clefts.
        chosen: cleft id -> the chosen (pre, post) pairs of segments.
    """

    polyadic: bool
    reference: Sequence[ReferenceSynapse]
    chosen: Mapping[int, Sequence[Pair]]

    def pair_score(self) -> AssignmentScore:
        """How often the chosen pair, or the first of several, is an annotated one."""
        first = {cleft_id: pairs[0] if pairs else None for cleft_id, pairs in self.chosen.items()}
        return score_assignment_pairs(self.reference, first)

    def set_score(self) -> PartnerSetScore:
        """How well the sets of pairs are found."""
        return score_partner_sets(self.reference, self.chosen)


def assign_annotated(
    request: BuildRequest, reference_path: Path, progress: Progress | None = None
) -> AnnotatedAssignment:
    """Assign partners to the annotated clefts, as a build would to clefts of these masks.

    No detector is involved, so a proximity pruner guesses the direction and `nearest` knows none of its own.

    Args:
        request: image and segmentation, the box that clefts' centroids lie in, assigner and direction, the parameters
            that decide about candidates, the device; the rest doesn't matter.
        reference_path: a CREMI file, or a folder as imports and phantoms write it.
        progress: is told how far it is.

    Raises:
        InputError: a volume or the reference is missing or doesn't fit; no annotated cleft lies in the box.
        CheckpointError, DeviceError: see the message.
    """
    shown = progress or NoProgress()
    check_parameters(request.parameters)
    volumes, device = request.volumes, choose_device(DeviceChoice(request.execution.device))
    chooser = choose_assigner(request.models.assigner, request.models.direction)
    parameters = BuildParameters(**chosen_values(request.parameters, {ASSIGNER: chooser.parameters}))
    pair = open_pair(replace(volumes, box=None, overlap=True), model_grid(_card(chooser)))
    grey = choose_grey_range(parameters.normalisation, pair.image)
    pair = replace(pair, image=as_model_sees(pair.image, grey, chooser.normalisation))
    reference = open_reference(reference_path)
    synapses = [s for s in reference.synapses() if lies_in(volumes.box, s, reference, pair)]
    if not synapses:
        raise ReferenceDataError(f"{reference_path}: no annotated cleft has its centroid in the box {volumes.box}")
    masks, rules = ReferenceMasks(reference, pair), rules_of(parameters)
    assigner = chooser.open(device, pair.segmentation.resolution_nm, None)
    clefts = list({synapse.cleft_id: synapse for synapse in synapses}.values())
    chosen: dict[int, list[Pair]] = {}
    shown.start("assign", len(clefts), unit="clefts")
    for first in range(0, len(clefts), PATCHES_A_BATCH):
        batch = clefts[first : first + PATCHES_A_BATCH]
        patches = _read(batch, masks, pair, chooser)
        chosen |= _choose(batch, patches, assigner, rules, pair.segmentation.resolution_nm)
        shown.advance(len(batch))
    shown.finish()
    return AnnotatedAssignment(polyadic=rules.polyadic, reference=synapses, chosen=chosen)


def _card(chooser: ChosenAssigner) -> ModelCard:
    """The card of the network; without one that of the default detector, as in a build."""
    if chooser.checkpoint is not None:
        return chooser.checkpoint.card
    return read_card(model_path(ModelRole.DETECTOR, None))


def _read(
    clefts: list[ReferenceSynapse], masks: ReferenceMasks, pair: VolumePair, chooser: ChosenAssigner
) -> list[CleftPatch]:
    shape = chooser.patch_shape(pair.segmentation.resolution_nm)
    boxes = [Box.around(masks.centre(cleft), shape) for cleft in clefts]
    return [
        CleftPatch(
            image=pair.image.read(box),
            segmentation=pair.segmentation.read(box),
            mask=masks.read(box, cleft.cleft_id),
        )
        for cleft, box in zip(clefts, boxes, strict=True)
    ]


def _choose(
    clefts: list[ReferenceSynapse],
    patches: list[CleftPatch],
    assigner: Assigner,
    rules: AssignmentRules,
    resolution_nm: NmTriple,
) -> dict[int, list[Pair]]:
    found = assign(patches, assigner, rules, resolution_nm)
    return {cleft.cleft_id: partners.segments() for cleft, partners in zip(clefts, found, strict=True)}
