"""The small world with annotations, so that it can be tuned on: what its networks find, made partly wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from small_world import OFFSET_NM, RESOLUTION_NM, SHAPE, SmallWorld, make_small_world

from connectome.formats.annotation_table import AnnotationRow, write_annotations
from connectome.partners.assignment import AssignmentRules, RuleRange
from connectome.pipeline.chosen import threshold_of
from connectome.pipeline.request import BuildRequest, build_request
from connectome.records import NoProgress
from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes, open_volume
from connectome.tuning.grid import ParameterGrid
from connectome.tuning.kept_outputs import KeptOutputs
from connectome.volumes.volume import Volume

GRID = ParameterGrid(
    {
        "threshold": (0.6, 0.7, 0.75),
        "min_size_voxels": (20, 50),
        "dilation_nm": (24.0, 48.0),
        "duplicate_distance_nm": (0.0, 700.0),
        "min_score": (0.0, 0.19),
    }
)
BOX = "4:38,10:95,5:80"


def make_annotated_world(folder: Path) -> SmallWorld:
    """Write the small world; of the synapses at one threshold two in seven are left out or get other partners."""
    world = make_small_world(folder)
    volume = AnnotatedVolume.parse(str(folder))
    opened = open_volume(volume, world_build(world))
    outputs = KeptOutputs(opened, folder / "truth", NoProgress())
    threshold = threshold_of(0.68)
    scored = outputs.scored(threshold, RuleRange(dilations_nm=(48.0,), min_contact=0.25), 40)
    chosen = scored.choose(AssignmentRules(dilation_nm=48.0))
    labels = outputs.labels(threshold)
    ids = labels.read(labels.box)
    synapses = chosen.synapses
    kept = [i for i in range(len(synapses)) if i % 7 != 3]
    truth = Volume.create(
        folder / "clefts.zarr",
        shape=SHAPE,
        dtype=np.uint64,
        resolution_nm=RESOLUTION_NM,
        offset_nm=OFFSET_NM,
        chunk_shape=(16, 32, 32),
    )
    truth.write(truth.box, np.where(np.isin(ids, synapses.cleft_id[kept]), ids, 0))
    rows = []
    for i in kept:
        pre, post = int(synapses.pre_segment_id[i]), int(synapses.post_segment_id[i])
        z, y, x = synapses.centroid_nm[i].tolist()
        rows.append(
            AnnotationRow(
                cleft_id=int(synapses.cleft_id[i]),
                pre_segment_id=post if i % 7 == 5 else pre,
                post_segment_id=pre if i % 7 == 5 else post,
                size_voxels=int(synapses.size_voxels[i]),
                centroid_nm=(z, y, x),
                pre_point_nm=None,
                post_point_nm=None,
            )
        )
    write_annotations(folder / "annotations.csv", rows)
    return world


def world_build(world: SmallWorld, **changes: Any) -> BuildRequest:
    """The models of a small world, as tuning asks for them."""
    values: dict[str, Any] = {"image": "", "segmentation": "", "block_shape": (16, 64, 64)}
    return build_request(values | {"detector": str(world.detector), "assigner": str(world.assigner)} | changes)


def annotated_volumes(world: SmallWorld, outputs: Path, *volumes: str) -> AnnotatedVolumes:
    """Tuning on boxes of the world: FOLDER@BOX texts, by default one."""
    texts = volumes or (f"{world.folder}@{BOX}",)
    return AnnotatedVolumes(volumes=tuple(map(AnnotatedVolume.parse, texts)), build=world_build(world), outputs=outputs)
