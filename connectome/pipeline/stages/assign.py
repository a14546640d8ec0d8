"""Stage assign: partners of every cleft, block by block of the clefts' centres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectome.geometry import Box, NmTriple, triple, voxel_centre_nm
from connectome.partners.assignment import Partners, assign
from connectome.partners.candidates import Candidates
from connectome.partners.confidence import ConfidenceModel, Evidence
from connectome.partners.patches import PATCHES_A_BATCH, PatchReader, batches
from connectome.partners.scores import Pair
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.inputs import Inputs
from connectome.pipeline.stages.stage import Blocks, Computed, Work
from connectome.records import Candidate, CleftState, Role, Synapse
from connectome.store.findings.building import block_clefts, clefts_per_block, set_cleft_states, write_rows
from connectome.store.runs.blocks import BlockTransaction

CANDIDATE_COLUMNS = ("cleft_id", "segment_id", "role", "score", "contact_voxels")
SYNAPSE_COLUMNS = ("cleft_id", "pre_segment_id", "post_segment_id", "pre_score", "post_score", "confidence")


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One cleft with what was found for it; without a synapse `state` says why."""

    cleft_id: int
    candidates: list[Candidate]
    synapses: list[Synapse]
    state: CleftState


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

    reader = PatchReader(
        image=context.assigner_image,
        segmentation=inputs.segmentation,
        clefts=context.clefts,
        shape=inputs.assigner.patch_shape(inputs.resolution_nm),
        proximity=context.proximity,
    )

    def work(block_id: int) -> Computed:
        found = block_clefts(context.database, context.run.run_id, block_id)
        seen = _seen(found, reader, inputs)
        assigned: list[Assigned] = []
        for part in batches([box.size_voxels for _, box in seen], PATCHES_A_BATCH * math.prod(reader.shape)):
            clefts = {name: values[part] for name, values in found.items()}
            patches = reader.read(clefts["cleft_id"], seen[part])
            with context.network():
                partners = assign(patches, assigner, context.parameters.assignment, inputs.resolution_nm, reader.shape)
            assigned += _assigned_batch(context, clefts, partners, [box for _, box in seen[part]])
        return Computed(write_rows=lambda transaction: _write(context, transaction, assigned))

    return work


def _seen(clefts: dict[str, Any], reader: PatchReader, inputs: Inputs) -> list[tuple[Box, Box]]:
    """The bounding box of each cleft (rows of `block_clefts`), and what is read of it."""
    origin, voxel = np.array(inputs.offset_nm), np.array(inputs.resolution_nm)
    starts, stops = (
        np.rint((np.stack([clefts[f"{end}_{axis}_nm"] for axis in "zyx"], 1) - origin) / voxel).astype(np.int64)
        for end in ("start", "stop")
    )
    centres = np.stack([clefts[f"centre_{axis}"] for axis in "zyx"], 1)
    extents = [Box(triple(a), triple(b)) for a, b in zip(starts, stops, strict=True)]
    return [(extent, reader.box(centre, extent)) for centre, extent in zip(centres, extents, strict=True)]


def _assigned_batch(
    context: BuildContext, clefts: dict[str, Any], found: Sequence[Partners], boxes: Sequence[Box]
) -> list[Assigned]:
    """What is written of clefts (rows of `block_clefts`), from their partners in what was read of each."""
    assigned = []
    for i, (partners, box) in enumerate(zip(found, boxes, strict=True)):
        cleft = {name: values[i] for name, values in clefts.items()}
        place = _Place(box, context.inputs.resolution_nm, context.inputs.offset_nm)
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
