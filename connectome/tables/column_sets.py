"""The column sets that people's synapse and edge tables come in.

Sources: CAVE's annotation schema `synapse` as CAVEclient hands it out (split positions or lists); the FlyWire release
783 (Zenodo record 10676866, positions in nm) and the downloads of Codex; the releases of MICrONS (ctr_pt_x_nm,
pre_pos_x_vx); Synaptor's table of edges; neuprint-python's fetch_synapse_connections and flyem-snapshot's syn-partners.
neuPrint's two tables are in `neuprint`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from connectome.tables.fields import Field, FieldKind
from connectome.tables.kinds import Columns


@dataclass(frozen=True, kw_only=True)
class ColumnSet:
    """The fields of a synapse table.

    Attributes:
        fields: in the order in which they are written.
        in_nm: its positions are in nm, so that nobody need say what they count.
    """

    fields: tuple[Field, ...]
    in_nm: bool = False


def _ids(cleft: tuple[str, ...], pre: tuple[str, ...], post: tuple[str, ...]) -> tuple[Field, ...]:
    return (
        Field(ours="cleft_id", names=cleft, kind=FieldKind.ID),
        Field(ours="pre_segment_id", names=pre, kind=FieldKind.ID, required=True),
        Field(ours="post_segment_id", names=post, kind=FieldKind.ID, required=True),
    )


def _points(prefix: str, *patterns: str, required: bool = False) -> tuple[Field, ...]:
    """The three fields of a position; `patterns` are their names with {} for the axis, the first is written."""
    return tuple(
        Field(
            ours=f"{prefix}{a}_nm",
            names=tuple(pattern.format(a) for pattern in patterns),
            kind=FieldKind.POSITION,
            required=required,
        )
        for a in "xyz"
    )


def _cave_points(prefix: str, side: str) -> tuple[Field, ...]:
    """A position in the names of CAVE, and in those that its tables are published with."""
    patterns = ("{}_pt_position", "{}_pt_{{}}_nm", "{}_pos_{{}}_nm", "{}_pt", "{}_pos_{{}}_vx", "{}_position")
    named = (pattern.format(side) for pattern in patterns)
    return _points(prefix, *(name if "{" in name else name + "_{}" for name in named))


def _supervoxels() -> tuple[Field, ...]:
    return tuple(
        Field(
            ours=f"{side}_supervoxel_id",
            names=(f"{side}_pt_supervoxel_id", f"{side}_supervoxel_id"),
            kind=FieldKind.ID,
        )
        for side in ("pre", "post")
    )


def _score(ours: str, name: str, per_unit: float = 1.0) -> Field:
    written = pa.float64() if per_unit != 1.0 else None
    return Field(ours=ours, names=(name,), kind=FieldKind.SCORE, per_unit=per_unit, written_as=written)


OURS = ColumnSet(
    fields=(
        *_ids(("cleft_id",), ("pre_segment_id",), ("post_segment_id",)),
        Field(ours="number", names=("number",), kind=FieldKind.WHOLE),
        Field(ours="source_id", names=("source_id",), kind=FieldKind.ID),
        *_points("", "{}_nm", required=True),
        Field(ours="size_voxels", names=("size_voxels",), kind=FieldKind.WHOLE),
        *(_score(name, name) for name in ("pre_score", "post_score", "confidence", "mean_score", "max_score")),
        *_points("pre_", "pre_{}_nm"),
        *_points("post_", "post_{}_nm"),
        *_points("start_", "start_{}_nm"),
        *_points("stop_", "stop_{}_nm"),
        *(Field(ours=name, names=(name,), kind=FieldKind.ID) for name in ("pre_supervoxel_id", "post_supervoxel_id")),
    ),
    in_nm=True,
)
CAVE = ColumnSet(
    fields=(
        *_ids(("id",), ("pre_pt_root_id", "pre_root_id"), ("post_pt_root_id", "post_root_id")),
        *_cave_points("pre_", "pre"),
        *_cave_points("", "ctr"),
        *_cave_points("post_", "post"),
        Field(ours="size_voxels", names=("size", "cleft_vx"), kind=FieldKind.WHOLE, written_as=pa.float64()),
        *_supervoxels(),
    ),
)
FLYWIRE = ColumnSet(
    fields=(
        *_ids(("id",), ("pre_pt_root_id", "pre_root_id"), ("post_pt_root_id", "post_root_id")),
        _score("confidence", "cleft_score", per_unit=255.0),
        *_points("pre_", "pre_pt_position_{}"),
        *_points("post_", "post_pt_position_{}"),
        *_points("", "{}"),
        *_supervoxels(),
    ),
    in_nm=True,
)
SYNAPTOR = ColumnSet(
    fields=(
        *_ids(("cleft_segid",), ("presyn_segid",), ("postsyn_segid",)),
        *_points("", "centroid_{}"),
        *_points("start_", "bbox_b{}"),
        *_points("stop_", "bbox_e{}"),
        Field(ours="size_voxels", names=("size",), kind=FieldKind.WHOLE),
        *_points("pre_", "presyn_{}"),
        *_points("post_", "postsyn_{}"),
        _score("pre_score", "presyn_wt"),
        _score("post_score", "postsyn_wt"),
    )
)
NEUPRINT_FLAT = ColumnSet(
    fields=(
        *_ids(("pre_id",), ("bodyId_pre", "body_pre"), ("bodyId_post", "body_post")),
        Field(ours="source_id", names=("post_id",), kind=FieldKind.ID),
        *_points("pre_", "{}_pre", required=True),
        *_points("post_", "{}_post", required=True),
        Field(ours="pre_score", names=("confidence_pre", "conf_pre"), kind=FieldKind.SCORE),
        Field(ours="post_score", names=("confidence_post", "conf_post"), kind=FieldKind.SCORE),
        Field(ours="pre_supervoxel_id", names=("sv_pre",), kind=FieldKind.ID),
        Field(ours="post_supervoxel_id", names=("sv_post",), kind=FieldKind.ID),
    )
)
"""One row a synapse, as opposed to neuPrint's two tables; it is read, not written."""
COLUMN_SETS = {
    Columns.CONNECTOME: OURS,
    Columns.CAVE: CAVE,
    Columns.FLYWIRE: FLYWIRE,
    Columns.SYNAPTOR: SYNAPTOR,
}
SYNAPSE_SCHEMA = pa.schema([pa.field(field.ours, field.type) for field in OURS.fields])
EDGE_TYPES = {
    "pre_id": pa.int64(),
    "post_id": pa.int64(),
    "synapse_count": pa.int64(),
    "size_voxels": pa.int64(),
    "mean_confidence": pa.float64(),
    "input_fraction": pa.float64(),
}
EDGE_NAMES: dict[Columns, dict[str, str]] = {
    Columns.CONNECTOME: {name: name for name in EDGE_TYPES},
    Columns.CAVE: {
        "pre_id": "pre_pt_root_id",
        "post_id": "post_pt_root_id",
        "synapse_count": "n_syn",
        "size_voxels": "sum_size",
    },
    Columns.FLYWIRE: {"pre_id": "pre_pt_root_id", "post_id": "post_pt_root_id", "synapse_count": "syn_count"},
    Columns.SYNAPTOR: {
        "pre_id": "presyn_segid",
        "post_id": "postsyn_segid",
        "synapse_count": "count",
        "size_voxels": "size",
    },
    Columns.NEUPRINT: {"pre_id": "body_pre", "post_id": "body_post", "synapse_count": "weight"},
}
