"""One attempt at a block, the same in every engine."""

from __future__ import annotations

import time
from dataclasses import replace

from connectome.pipeline.blocks import ReadyBlock, Work, no_voxels
from connectome.pipeline.context import BuildContext
from connectome.store.blocks import BlockMark


def compute(context: BuildContext, work: Work, mark: BlockMark) -> ReadyBlock:
    """Compute a block; its seconds are without those spent waiting for the network."""
    began = time.monotonic() - context.turn.waited_s
    computed = context.insist(lambda: work(mark.block_id))
    seconds = time.monotonic() - context.turn.waited_s - began
    return ReadyBlock(mark=replace(mark, seconds=max(seconds, 0.0)), computed=computed)


def with_voxels(block: ReadyBlock) -> ReadyBlock:
    """Write the voxels of a computed block; what is left are its rows."""
    began = time.monotonic()
    block.computed.write_voxels()
    seconds = block.mark.seconds + time.monotonic() - began
    rest = replace(block.computed, write_voxels=no_voxels)
    return ReadyBlock(mark=replace(block.mark, seconds=seconds), computed=rest)
