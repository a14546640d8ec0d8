"""All tables, in one place to import from."""

from __future__ import annotations

from connectome.store.schema.base import Base
from connectome.store.schema.cleft_tables import CleftTable, FragmentCleftTable, FragmentTable
from connectome.store.schema.root_tables import (
    AnnotationTable,
    RootEdgeTable,
    RootRefreshTable,
    RootsTable,
    RootTable,
    SupervoxelRootTable,
    SynapseRootTable,
)
from connectome.store.schema.run_tables import BlockTable, DataSetTable, ModelTable, RunTable, StageTable, VolumeTable
from connectome.store.schema.synapse_tables import CandidateTable, DuplicateTable, EdgeTable, SynapseTable

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "AnnotationTable",
    "BlockTable",
    "CandidateTable",
    "CleftTable",
    "DataSetTable",
    "DuplicateTable",
    "EdgeTable",
    "FragmentCleftTable",
    "FragmentTable",
    "ModelTable",
    "RootEdgeTable",
    "RootRefreshTable",
    "RootTable",
    "RootsTable",
    "RunTable",
    "StageTable",
    "SupervoxelRootTable",
    "SynapseRootTable",
    "SynapseTable",
    "VolumeTable",
]
