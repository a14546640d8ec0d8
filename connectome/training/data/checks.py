"""Checks before the first step: whether the data can teach what it is to teach."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from connectome.errors import TrainingDataError
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import BlockGrid, Box, NmTriple, Triple, Vector
from connectome.records import ReferenceSynapse
from connectome.training.choices import Unpaired
from connectome.training.data.dataset import Dataset
from connectome.volumes.working_grid import GridView

BLOCK_SHAPE: Triple = (32, 512, 512)
NAMED = 5
"""The number of ids that a message names."""


def check_apart(training: Sequence[Dataset], validation: Sequence[Dataset]) -> None:
    """Refuse validation data that is also trained on.

    Raises:
        TrainingDataError: two boxes of one image overlap, or two phantoms have one preset and seed.
    """
    for data in training:
        for held_out in validation:
            if _is_same_tissue(data, held_out):
                if data.source.phantom is not None:
                    raise TrainingDataError(
                        f"{data.source.name}: the phantom for validation has the same seed: give it another one"
                    )
                raise TrainingDataError(
                    f"{data.source.name}: the boxes for training ({data.box}) and validation ({held_out.box}) overlap: "
                    "give each a part of its own"
                )


def check_labels(data: Dataset, patch_shape: Triple) -> None:
    """Refuse a table of synapses that doesn't belong to the cleft labels. A phantom's belong to each other.

    Raises:
        TrainingDataError: a synapse of the box names a cleft that isn't around its centroid.
    """
    if data.source.phantom is not None:
        return
    lost = [s.cleft_id for s in data.synapses if not _is_around(data.clefts, s.cleft_id, s, patch_shape)]
    if lost:
        raise TrainingDataError(
            f"{data.source.name}: {data.source.table} names {_ids('cleft', lost)} in the box {data.box}, which the "
            "cleft labels don't hold there: check that table and labels belong together"
        )


def check_decoys(training: Sequence[Dataset], share: float) -> None:
    """Refuse to show decoys where no source has any.

    Raises:
        TrainingDataError: there is none in any box.
    """
    if share > 0 and not any(data.decoys for data in training):
        raise TrainingDataError(
            f"decoy_share {share:g}: no source has decoys in its box: write them with connectome train decoys"
        )


def check_partners(data: Dataset, patch_shape: Triple, unpaired: Unpaired) -> None:
    """Refuse data that can't teach who the partners of a cleft are. A phantom always can.

    Args:
        data: what to look at; the cleft labels of its box are read once.
        patch_shape: of a sample (z, y, x): a partner further away than one patch is never seen.
        unpaired: whether clefts without annotated partners may be there; nobody learns from them then.

    Raises:
        TrainingDataError: a cleft label of the box is named by no synapse of the table; or a synapse of the box names a
            segment that isn't there, in the box or beyond.
    """
    if data.source.phantom is not None:
        return
    alone = sorted(_cleft_labels(data) - {synapse.cleft_id for synapse in data.annotated})
    if alone and unpaired is Unpaired.REFUSE:
        raise TrainingDataError(
            f"{data.source.name}: {_ids('cleft', alone)} in the box {data.box} without annotated partners in "
            f"{data.source.table}",
            about="unpaired",
        )
    lost = [
        (segment, synapse.cleft_id)
        for synapse in data.synapses
        for segment in (synapse.pre_segment_id, synapse.post_segment_id)
        if not _is_around(data.segmentation, segment, synapse, patch_shape)
    ]
    if lost:
        raise TrainingDataError(
            f"{data.source.name}: {len(lost)} of {2 * len(data.synapses)} annotated partners aren't in the "
            f"segmentation around their cleft, the first is segment {lost[0][0]} of cleft {lost[0][1]}: check that "
            f"{data.source.table} and the segmentation belong together"
        )


def _is_around(labels: GridView, label: int, synapse: ReferenceSynapse, patch_shape: Triple) -> bool:
    """True if a label occurs around a synapse: in a patch, or failing that in one of twice its size."""
    for factor in (1, 2):
        if (labels.read(Box.around(synapse.centroid_voxel, Vector(patch_shape) * factor)) == label).any():
            return True
    return False


def _cleft_labels(data: Dataset) -> set[int]:
    """The ids of all clefts with a voxel in the box."""
    found: set[int] = set()
    for _, block in BlockGrid(data.box, BLOCK_SHAPE):
        labels = data.read(data.clefts, block)
        found.update(np.unique(labels[(labels != 0) & (labels < min(BACKGROUND, IGNORE))]).tolist())
    return found


def _image(data: Dataset) -> str:
    """What two sources of one image have in common, however it is written."""
    url = data.image.volume.url
    return url if "://" in url else str(Path(url).expanduser().resolve())


def _is_same_tissue(one: Dataset, other: Dataset) -> bool:
    """True if what is seen of two sources overlaps; phantoms of one seed resemble each other whatever their shapes."""
    first, second = one.source.phantom, other.source.phantom
    if first is not None and second is not None:
        return (first.preset, first.seed) == (second.preset, second.seed)
    return _image(one) == _image(other) and _overlap(one, other)


def _overlap(one: Dataset, other: Dataset) -> bool:
    """True if the boxes share space; both are in voxels of grids of their own."""
    (low, high), (other_low, other_high) = _extent_nm(one), _extent_nm(other)
    return all(min(b, d) - max(a, c) > 1e-3 for a, b, c, d in zip(low, high, other_low, other_high, strict=True))


def _extent_nm(data: Dataset) -> tuple[NmTriple, NmTriple]:
    return data.grid.corner_nm(data.box.start), data.grid.corner_nm(data.box.stop)


def _ids(what: str, ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:NAMED])) + (", ..." if len(ids) > NAMED else "")
    return f"{len(ids)} {what}{'s' if len(ids) > 1 else ''} ({shown})"
