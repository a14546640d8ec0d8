"""A stage of a build: its name and unit, its blocks, and the work that computes one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from connectome.pipeline.context import BuildContext
from connectome.store.runs.blocks import BlockTransaction, Stage


def no_rows(transaction: BlockTransaction) -> None:
    """Write nothing but the block's done mark."""


def no_voxels() -> None:
    """Write none."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """The writes that are left for a block that is computed; both may be done twice.

    Attributes:
        write_voxels: comes first.
        write_rows: in the transaction with the block's done mark.
    """

    write_voxels: Callable[[], None] = no_voxels
    write_rows: Callable[[BlockTransaction], None] = no_rows


class BuildStage(ABC):
    """A stage of one build, in one process.

    Attributes:
        name: of the stage, in the database too.
        block: what one of its blocks is.
        unit: what its progress is counted in.
        volumes: those of the context that it writes; they are made before any block begins.
        tables: that it writes.
        network: whether its work calls a network.
        spread: whether its blocks go to the workers of a cluster; else the leading process does them.
    """

    name: ClassVar[Stage]
    block: ClassVar[str] = "block"
    unit: ClassVar[str] = "voxels"
    volumes: ClassVar[tuple[str, ...]] = ()
    tables: ClassVar[tuple[str, ...]] = ()
    network: ClassVar[bool] = False
    spread: ClassVar[bool] = True

    def __init__(self, context: BuildContext) -> None:
        """Belong to a build; nothing is loaded yet."""
        self.context = context

    @property
    def is_wanted(self) -> bool:
        """True if the build has this stage; without it there is no trace of it."""
        return True

    @abstractmethod
    def blocks(self) -> Iterable[tuple[int, int]]:
        """Ids and sizes in `unit` of all blocks, from the start at every call; never a list: there may be millions."""

    def open(self) -> None:  # noqa: B027 (most stages load nothing)
        """Load what the work needs, once a process, before the first block."""

    @abstractmethod
    def work(self, block_id: int) -> Computed:
        """Compute a block; called from several threads at once.

        Raises:
            StorageError: a volume can't be read.
        """


class BoxStage(BuildStage):
    """A stage whose blocks are those of the box."""

    def blocks(self) -> Iterable[tuple[int, int]]:
        """The blocks of the box with their sizes."""
        return ((block_id, box.size_voxels) for block_id, box in self.context.blocks)
