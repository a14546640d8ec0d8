"""The stages of a build in their order, each with its blocks and its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.assign import assign_blocks, open_assign
from connectome.pipeline.stages.deduplicate import deduplicate_blocks, open_deduplicate
from connectome.pipeline.stages.edges import edge_blocks, open_edges
from connectome.pipeline.stages.label import label_blocks, open_label
from connectome.pipeline.stages.predict import open_predict, predict_blocks
from connectome.pipeline.stages.stage import Blocks, Work
from connectome.pipeline.stages.stitch import open_relabel, open_stitch, relabel_blocks, stitch_blocks
from connectome.store.runs.blocks import Stage


@dataclass(frozen=True, kw_only=True)
class StageSpec:
    """A stage.

    Attributes:
        blocks: what is to do; None: the stage isn't wanted.
        open: loads what the work needs, once a process; a function of a module, so that it can travel.
        volumes: of the context, that the stage writes: made before any block begins.
        network: whether its work calls a network.
        spread: whether its blocks go to the workers of a cluster; else the leading process does them.
    """

    stage: Stage
    blocks: Callable[[BuildContext], Blocks | None]
    open: Callable[[BuildContext], Work]
    volumes: tuple[str, ...] = ()
    network: bool = False
    spread: bool = True


STAGES = (
    StageSpec(stage=Stage.PREDICT, blocks=predict_blocks, open=open_predict, volumes=("tiles",), network=True),
    StageSpec(stage=Stage.LABEL, blocks=label_blocks, open=open_label, volumes=("prediction",)),
    StageSpec(stage=Stage.STITCH, blocks=stitch_blocks, open=open_stitch, spread=False),
    StageSpec(stage=Stage.RELABEL, blocks=relabel_blocks, open=open_relabel, volumes=("clefts",)),
    StageSpec(stage=Stage.ASSIGN, blocks=assign_blocks, open=open_assign, network=True),
    StageSpec(stage=Stage.DEDUPLICATE, blocks=deduplicate_blocks, open=open_deduplicate, spread=False),
    StageSpec(stage=Stage.EDGES, blocks=edge_blocks, open=open_edges, spread=False),
)
