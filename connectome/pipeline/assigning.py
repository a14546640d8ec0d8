"""Stage assign: partners of every cleft, block by block of the clefts' centres."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsInt

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple, Triple, triple, voxel_centre_nm
from connectome.grid_view import GridView
from connectome.partners.assignment import CleftPatch, Partners, assign, patch_start
from connectome.partners.candidates import Candidates
from connectome.partners.confidence import ConfidenceModel, Evidence
from connectome.partners.scores import Assigner, Pair
from connectome.pipeline.blocks import Blocks, Computed, Work
from connectome.pipeline.context import BuildContext
from connectome.pipeline.parameters import Parameters
from connectome.records import Candidate, CleftState, Role, Synapse
from connectome.store.blocks import BlockTransaction
from connectome.store.building import block_clefts, clefts_per_block, set_cleft_states, write_rows
from connectome.volume import Volume

PATCHES_A_BATCH = 8
CANDIDATE_COLUMNS = ("cleft_id", "segment_id", "role", "score", "contact_voxels")
SYNAPSE_COLUMNS = ("cleft_id", "pre_segment_id", "post_segment_id", "pre_score", "post_score", "confidence")


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One cleft with what was found for it; without a synapse `state` says why."""

    cleft_id: int
    candidates: list[Candidate]
    synapses: list[Synapse]
    state: CleftState


@dataclass(frozen=True, kw_only=True)
class PatchReader:
    """Reads what an assigner is shown of clefts.

    Attributes:
        image: uint8, with the assigner's grey values.
        segmentation: on the same working grid.
        clefts: uint64 label volume of that grid.
        shape: voxels (z, y, x) of a patch.
        proximity: the detector's signed proximity in a box, float32 (z, y, x); None: it has none.
    """

    image: GridView
    segmentation: GridView
    clefts: Volume
    shape: Triple
    proximity: Callable[[Box], NDArray[np.float32] | None]

    def box(self, centre: Iterable[SupportsInt]) -> Box:
        """The patch around a voxel (z, y, x)."""
        return Box.of_shape(self.shape, patch_start(triple(centre), self.shape))

    def read(self, cleft_ids: NDArray[np.integer], centres: NDArray[np.integer]) -> list[CleftPatch]:
        """The patches of clefts, from their ids (n,) and the voxels (n, 3) that they are centred on."""
        return [
            CleftPatch(
                image=self.image.read(box),
                segmentation=self.segmentation.read(box),
                mask=self.clefts.read(box) == np.uint64(cleft_id),
                proximity=self.proximity(box),
            )
            for box, cleft_id in zip(map(self.box, centres), cleft_ids, strict=True)
        ]


def assign_blocks(context: BuildContext) -> Blocks:
    """The blocks that hold a cleft's centre, with their numbers of clefts; others need no work."""
    block_ids, counts = clefts_per_block(context.database, context.run.run_id)
    return Blocks.of(lambda: zip(map(int, block_ids), map(int, counts), strict=True), unit="clefts")


def open_assign(context: BuildContext) -> Work:
    """The work of the stage.

    Raises (the work):
        StorageError: a volume can't be read.
    """
    inputs = context.inputs
    assigner = inputs.assigner.open(inputs.device, inputs.resolution_nm, inputs.detector.card.method)

    def work(block_id: int) -> Computed:
        found = block_clefts(context.database, context.run.run_id, block_id)
        assigned: list[Assigned] = []
        for first in range(0, len(found["cleft_id"]), PATCHES_A_BATCH):
            part = {name: values[first : first + PATCHES_A_BATCH] for name, values in found.items()}
            assigned += _assign_batch(context, assigner, part)
        return Computed(write_rows=lambda transaction: _write(context, transaction, assigned))

    return work


def _assign_batch(context: BuildContext, assigner: Assigner, clefts: dict[str, Any]) -> list[Assigned]:
    inputs = context.inputs
    reader = PatchReader(
        image=context.assigner_image,
        segmentation=inputs.segmentation,
        clefts=context.clefts,
        shape=inputs.assigner.patch_shape(inputs.resolution_nm),
        proximity=context.proximity,
    )
    centres = np.stack([clefts[f"centre_{axis}"] for axis in "zyx"], 1)
    patches = reader.read(clefts["cleft_id"], centres)
    with context.network():
        found = assign(patches, assigner, context.parameters.assignment, inputs.resolution_nm)
    assigned = []
    for i, (partners, centre) in enumerate(zip(found, centres, strict=True)):
        cleft = {name: values[i] for name, values in clefts.items()}
        place = _Place(reader.box(centre), inputs.resolution_nm, inputs.offset_nm)
        assigned.append(_assigned(cleft, partners, place, context.parameters))
    return assigned


@dataclass(frozen=True)
class _Place:
    """Where a patch lies: its box in working voxels, and the working grid."""

    box: Box
    resolution_nm: NmTriple
    offset_nm: NmTriple

    def point_nm(self, voxel: Any) -> NmTriple:
        """The centre in nm of a voxel (z, y, x) of the patch."""
        whole = triple(int(v) + a for v, a in zip(voxel, self.box.start, strict=True))
        return voxel_centre_nm(whole, self.resolution_nm, self.offset_nm)


def _candidates(cleft_id: int, partners: Partners) -> list[Candidate]:
    return [
        Candidate(
            cleft_id=cleft_id,
            segment_id=int(segment_id),
            role=role,
            score=float(partners.scores.roles[place, i]),
            contact_voxels=int(partners.candidates.contact_voxels[i]),
        )
        for i, segment_id in enumerate(partners.candidates.segment_id)
        for place, role in enumerate((Role.PRE, Role.POST))
    ]


def _assigned(cleft: dict[str, Any], partners: Partners, place: _Place, parameters: Parameters) -> Assigned:
    """What is written of a cleft: a row of `block_clefts`."""
    cleft_id = int(cleft["cleft_id"])
    evidence = [_evidence(cleft, partners, pair) for pair in partners.pairs]
    kept = [one for one in evidence if one.score >= parameters.min_score]
    state = CleftState.ASSIGNED if kept else CleftState.LOW_SCORE if evidence else CleftState.NO_PARTNERS
    return Assigned(
        cleft_id=cleft_id,
        candidates=_candidates(cleft_id, partners),
        synapses=[_synapse(cleft_id, partners.candidates, one, place, parameters.confidence) for one in kept],
        state=state,
    )


def _evidence(cleft: dict[str, Any], partners: Partners, pair: Pair) -> Evidence:
    return Evidence(
        mean_score=float(cleft["mean_score"]),
        max_score=float(cleft["max_score"]),
        size_voxels=int(cleft["size_voxels"]),
        scores=partners.scores,
        contact_voxels=partners.candidates.contact_voxels,
        pair=pair,
    )


def _synapse(
    cleft_id: int, candidates: Candidates, evidence: Evidence, place: _Place, model: ConfidenceModel | None
) -> Synapse:
    pre, post = evidence.pair
    pre_score, post_score = evidence.scores.of_pair(evidence.pair)
    return Synapse(
        cleft_id=cleft_id,
        pre_segment_id=int(candidates.segment_id[pre]),
        post_segment_id=int(candidates.segment_id[post]),
        pre_score=pre_score,
        post_score=post_score,
        confidence=evidence.score if model is None else model.probability(evidence),
        pre_point_nm=place.point_nm(candidates.contact_point[pre]),
        post_point_nm=place.point_nm(candidates.contact_point[post]),
    )


def _write(context: BuildContext, transaction: BlockTransaction, assigned: list[Assigned]) -> None:
    run_id, connection = context.run.run_id, transaction.connection
    candidates = [candidate for one in assigned for candidate in one.candidates]
    synapses = [synapse for one in assigned for synapse in one.synapses]
    if candidates:
        write_rows(connection, "candidate", run_id, _columns(candidates, CANDIDATE_COLUMNS))
    if synapses:
        columns = _columns(synapses, SYNAPSE_COLUMNS)
        for i, axis in enumerate("zyx"):
            columns[f"pre_{axis}_nm"] = [row.pre_point_nm[i] for row in synapses]
            columns[f"post_{axis}_nm"] = [row.post_point_nm[i] for row in synapses]
        write_rows(connection, "synapse", run_id, columns)
    states: dict[str, list[int]] = {}
    for one in assigned:
        states.setdefault(one.state.value, []).append(one.cleft_id)
    set_cleft_states(connection, run_id, states)


def _columns(rows: Sequence[Candidate | Synapse], names: tuple[str, ...]) -> dict[str, list[Any]]:
    return {name: [getattr(row, name) for row in rows] for name in names}
