"""Views: the best run's synapses, and the names of CAVE and Synaptor.

Revision: 0009, after 0008.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BEST = "(SELECT run_id FROM run WHERE state = 'finished' ORDER BY finished_at DESC, run_id DESC LIMIT 1)"
SYNAPSE = (
    "run_id cleft_id number pre_segment_id post_segment_id pre_score post_score confidence pre_x_nm pre_y_nm "
    "pre_z_nm post_x_nm post_y_nm post_z_nm source_id"
)
CLEFT = {
    "x_nm": "Centroid of the cleft: x in nm",
    "y_nm": "Centroid of the cleft: y in nm",
    "z_nm": "Centroid of the cleft: z in nm",
    "size_voxels": "Size of the cleft in voxels at the working resolution",
    "mean_score": "Mean output of the detector over the cleft, 0 to 1",
}
Column = tuple[str, str, str]


def _points(name: str, of: str, what: str) -> list[Column]:
    return [(name.format(axis), f"{of.format(axis)}", f"{what}: {axis} in nm") for axis in "xyz"]


CAVE: list[Column] = [
    (
        "id",
        "coalesce(source_id, cleft_id)",
        "Id of the synapse; a polyadic cleft of a build has one id for all of them",
    ),
    ("created", "(SELECT created_at FROM run WHERE run.run_id = synapse_best.run_id)", "When the run was created"),
    ("deleted", "NULL::timestamptz", "Always NULL: rows are never marked as deleted"),
    ("superceded_id", "NULL::bigint", "Always NULL: rows are never replaced"),
    ("valid", "pre_segment_id <> post_segment_id", "Whether pre differs from post"),
    *_points("pre_pt_position_{}", "pre_{}_nm", "A point inside the presynaptic segment"),
    *_points("ctr_pt_position_{}", "{}_nm", "Centroid of the cleft"),
    *_points("post_pt_position_{}", "post_{}_nm", "A point inside the postsynaptic segment"),
    ("size", "size_voxels::double precision", "Voxels of the cleft"),
    ("pre_pt_supervoxel_id", "pre_segment_id", "The presynaptic segment"),
    ("pre_pt_root_id", "pre_segment_id", "The presynaptic segment; roots of a version are in root"),
    ("post_pt_supervoxel_id", "post_segment_id", "The postsynaptic segment"),
    ("post_pt_root_id", "post_segment_id", "The postsynaptic segment; roots of a version are in root"),
]
SYNAPTOR: list[Column] = [
    ("cleft_segid", "synapse.cleft_id", "The cleft"),
    *_points("centroid_{}", "cleft.{}_nm", "Centroid of the cleft"),
    *_points("bbox_b{}", "cleft.start_{}_nm", "Bounding box of the cleft: start"),
    *_points("bbox_e{}", "cleft.stop_{}_nm", "Bounding box of the cleft: stop, exclusive"),
    ("size", "cleft.size_voxels", "Voxels of the cleft"),
    ("presyn_segid", "synapse.pre_segment_id", "The presynaptic segment"),
    ("postsyn_segid", "synapse.post_segment_id", "The postsynaptic segment"),
    *_points("presyn_{}", "synapse.pre_{}_nm", "A point inside the presynaptic segment"),
    *_points("postsyn_{}", "synapse.post_{}_nm", "A point inside the postsynaptic segment"),
    ("presyn_wt", "synapse.pre_score", "Score of the presynaptic segment in its role, 0 to 1"),
    ("postsyn_wt", "synapse.post_score", "Score of the postsynaptic segment in its role, 0 to 1"),
]
JOINED = "synapse JOIN cleft ON cleft.run_id = synapse.run_id AND cleft.cleft_id = synapse.cleft_id"


def upgrade() -> None:
    """Create the views; the comments of the synapses' columns are those of the table."""
    columns = [*(f"synapse.{name}" for name in SYNAPSE.split()), *(f"cleft.{name}" for name in CLEFT)]
    op.execute(f"CREATE VIEW synapse_cleft AS SELECT {', '.join(columns)} FROM {JOINED}")
    op.execute(f"CREATE VIEW synapse_best AS SELECT * FROM synapse_cleft WHERE run_id = {BEST}")
    _create("cave_synapse", CAVE, "synapse_best")
    _create("synaptor_edge", SYNAPTOR, f"{JOINED} WHERE synapse.run_id = {BEST}")
    for view, text in {
        "synapse_cleft": "Synapses of all runs with the place and size of their clefts",
        "synapse_best": "Synapses of the run that was finished last, with the place and size of their clefts",
        "cave_synapse": "Synapses of the run that was finished last, in the names of CAVE; positions in nm",
        "synaptor_edge": "Synapses of the run that was finished last, in the names of Synaptor; positions in nm",
    }.items():
        op.execute(f"COMMENT ON VIEW {view} IS '{text}'")
    for view in ("synapse_cleft", "synapse_best"):
        for name in SYNAPSE.split():
            _copy_comment(view, name)
        for name, comment in CLEFT.items():
            op.execute(f"COMMENT ON COLUMN {view}.{name} IS '{comment}'")


def downgrade() -> None:
    """Drop the views, dependent ones first."""
    for view in ("synaptor_edge", "cave_synapse", "synapse_best", "synapse_cleft"):
        op.execute(f"DROP VIEW {view}")


def _create(view: str, columns: list[Column], source: str) -> None:
    selected = ", ".join(f"{value} AS {name}" for name, value, _ in columns)
    op.execute(f"CREATE VIEW {view} AS SELECT {selected} FROM {source}")
    for name, _, comment in columns:
        op.execute(f"COMMENT ON COLUMN {view}.{name} IS '{comment}'")


def _copy_comment(view: str, column: str) -> None:
    op.execute(
        f"""
        DO $$ BEGIN
            EXECUTE format('COMMENT ON COLUMN {view}.{column} IS %L', (
                SELECT col_description(attrelid, attnum) FROM pg_attribute
                WHERE attrelid = 'synapse'::regclass AND attname = '{column}'));
        END $$
        """
    )
