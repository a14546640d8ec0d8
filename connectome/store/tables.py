"""All tables and the edge view, in one place to import from."""

from __future__ import annotations

from connectome.store.cleft_tables import (
    EDGE,
    CandidateTable,
    CleftTable,
    DuplicateTable,
    FragmentCleftTable,
    FragmentTable,
    SynapseTable,
)
from connectome.store.run_tables import BlockTable, ModelTable, RunTable, VolumeTable
from connectome.store.schema import Base

METADATA = Base.metadata

__all__ = [
    "EDGE",
    "METADATA",
    "BlockTable",
    "CandidateTable",
    "CleftTable",
    "DuplicateTable",
    "FragmentCleftTable",
    "FragmentTable",
    "ModelTable",
    "RunTable",
    "SynapseTable",
    "VolumeTable",
]
