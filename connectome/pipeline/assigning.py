"""Stage assign: partners of every cleft, block by block of the clefts' centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectome.geometry import Box, NmTriple, triple, voxel_centre_nm
from connectome.partners.assignment import CleftPatch, Partners, assign, patch_start
from connectome.partners.networked import open_assigner
from connectome.partners.scores import Assigner
from connectome.pipeline.context import BuildContext, WriteRows
from connectome.records import Candidate, CleftState, Role, Synapse
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.building import block_clefts, clefts_per_block, set_cleft_states, write_rows

PATCHES_A_BATCH = 8
CANDIDATE_COLUMNS = ("cleft_id", "segment_id", "role", "score", "contact_voxels")
SYNAPSE_COLUMNS = ("cleft_id", "pre_segment_id", "post_segment_id", "pre_score", "post_score", "confidence")


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One cleft with what was found for it; `synapse` is None with fewer than two candidates."""

    cleft_id: int
    candidates: list[Candidate]
    synapse: Synapse | None


def assign_clefts(context: BuildContext) -> None:
    """Run the stage; blocks without a cleft's centre need no work and get no row.

    Raises:
        StorageError: a volume can't be read.
    """
    model = context.inputs.assigner
    assigner = open_assigner(model.card, model.network, context.inputs.device)
    counts = clefts_per_block(context.database, context.run.run_id)

    def work(block_id: int) -> WriteRows:
        found = block_clefts(context.database, context.run.run_id, block_id)
        assigned: list[Assigned] = []
        for first in range(0, len(found["cleft_id"]), PATCHES_A_BATCH):
            part = {name: values[first : first + PATCHES_A_BATCH] for name, values in found.items()}
            assigned += _assign_batch(context, assigner, part)
        return lambda transaction: _write(context, transaction, assigned)

    context.run_stage(Stage.ASSIGN, counts.items(), work, unit="clefts")


def _assign_batch(context: BuildContext, assigner: Assigner, clefts: dict[str, Any]) -> list[Assigned]:
    inputs = context.inputs
    shape = inputs.assigner.card.patch_shape
    centres = zip(clefts["centre_z"], clefts["centre_y"], clefts["centre_x"], strict=True)
    boxes = [Box.of_shape(shape, patch_start(triple(centre), shape)) for centre in centres]
    patches = [
        CleftPatch(
            image=inputs.image.read(box),
            segmentation=inputs.segmentation.read(box),
            mask=context.clefts.read(box) == np.uint64(cleft_id),
        )
        for box, cleft_id in zip(boxes, clefts["cleft_id"], strict=True)
    ]
    found = assign(patches, assigner, context.parameters.assignment, inputs.resolution_nm)
    return [
        Assigned(
            cleft_id=int(cleft_id),
            candidates=_candidates(int(cleft_id), partners),
            synapse=_synapse(
                int(cleft_id), float(score), partners, _Place(box, inputs.resolution_nm, inputs.offset_nm)
            ),
        )
        for cleft_id, score, partners, box in zip(clefts["cleft_id"], clefts["mean_score"], found, boxes, strict=True)
    ]


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


def _synapse(cleft_id: int, mean_score: float, partners: Partners, place: _Place) -> Synapse | None:
    if partners.pair is None:
        return None
    pre, post = partners.pair
    candidates = partners.candidates
    pre_score, post_score = float(partners.scores.roles[0, pre]), float(partners.scores.roles[1, post])
    return Synapse(
        cleft_id=cleft_id,
        pre_segment_id=int(candidates.segment_id[pre]),
        post_segment_id=int(candidates.segment_id[post]),
        pre_score=pre_score,
        post_score=post_score,
        confidence=mean_score * pre_score * post_score,
        pre_point_nm=place.point_nm(candidates.contact_point[pre]),
        post_point_nm=place.point_nm(candidates.contact_point[post]),
    )


def _write(context: BuildContext, transaction: BlockTransaction, assigned: list[Assigned]) -> None:
    run_id, connection = context.run.run_id, transaction.connection
    candidates = [candidate for one in assigned for candidate in one.candidates]
    synapses = [one.synapse for one in assigned if one.synapse is not None]
    if candidates:
        write_rows(connection, "candidate", run_id, _columns(candidates, CANDIDATE_COLUMNS))
    if synapses:
        columns = _columns(synapses, SYNAPSE_COLUMNS)
        for i, axis in enumerate("zyx"):
            columns[f"pre_{axis}_nm"] = [row.pre_point_nm[i] for row in synapses]
            columns[f"post_{axis}_nm"] = [row.post_point_nm[i] for row in synapses]
        write_rows(connection, "synapse", run_id, columns)
    states = {
        CleftState.ASSIGNED.value: [one.cleft_id for one in assigned if one.synapse is not None],
        CleftState.NO_PARTNERS.value: [one.cleft_id for one in assigned if one.synapse is None],
    }
    set_cleft_states(connection, run_id, states)


def _columns(rows: Sequence[Candidate | Synapse], names: tuple[str, ...]) -> dict[str, list[Any]]:
    return {name: [getattr(row, name) for row in rows] for name in names}
