"""Data sets, supervoxels, unknown confidence, and runs of edges alone.

Revision: 0017, after 0016.

Runs, annotations and versions of roots belong to a data set. Those that are there already shared all ids: they go into
one data set, unless there are no annotations and no versions, so that nothing was shared.
"""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import op

from connectome.migrations.columns import bigint, identity, integer, text

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SHARED = "main"
ONE = f"""
INSERT INTO data_set (name) SELECT '{SHARED}'
WHERE EXISTS (SELECT FROM annotation) OR EXISTS (SELECT FROM roots WHERE roots_id <> 0)
"""
OWN_NAME = "coalesce((SELECT url FROM volume WHERE volume_id = run.segmentation_volume_id), run.name)"
OWN = f"""
INSERT INTO data_set (name) SELECT {OWN_NAME} FROM run WHERE NOT EXISTS (SELECT FROM data_set)
GROUP BY 1 ORDER BY min(run_id)
"""
OF_RUN = f"""
UPDATE run SET data_set_id = d.data_set_id FROM data_set d WHERE d.name IN ('{SHARED}', {OWN_NAME})
"""
OF_OTHERS = """
UPDATE annotation SET data_set_id = (SELECT data_set_id FROM data_set);
UPDATE roots SET data_set_id = (SELECT data_set_id FROM data_set) WHERE roots_id <> 0
"""
CONFIDENCE = "Calibrated probability that the synapse is correct, 0 to 1; {}"
OLD_UNKNOWN, UNKNOWN = "1 if an import has none", "NULL if an import doesn''t tell"
MEAN, KNOWN_MEAN = "Mean confidence of the synapses, 0 to 1", "; of those that have one, NULL if none has"
READER = """
DO $$ BEGIN
    IF to_regrole('connectome_reader') IS NOT NULL THEN
        GRANT SELECT ON data_set, supervoxel_root TO connectome_reader;
    END IF;
END $$
"""
VIEWS_READER = """
DO $$ BEGIN
    IF to_regrole('connectome_reader') IS NOT NULL THEN
        GRANT SELECT ON synapse_cleft, synapse_best, cave_synapse, synaptor_edge TO connectome_reader;
    END IF;
END $$
"""
VIEWS = import_module("connectome.migrations.versions.0009_views")
SUPERVOXELS = {
    f"{side}_supervoxel_id": f"The supervoxel of its {side}synaptic point; NULL: its segment is what proofreading moves"
    for side in ("pre", "post")
}


def upgrade() -> None:
    """Create the data sets there are, and make room for what isn't known."""
    create_data_set()
    add_data_sets()
    create_supervoxel_root()
    add_supervoxels()
    let_confidence_be_unknown()
    op.add_column(
        "run",
        sa.Column(
            "content",
            sa.Text,
            nullable=False,
            server_default="synapses",
            comment="What it holds: synapses and their edges, or edges alone",
        ),
    )
    op.create_check_constraint(op.f("ck_run_content"), "run", "content IN ('synapses', 'edges')")
    op.execute(READER)


def downgrade() -> None:
    """Take it all back: runs of edges alone go, what was unknown counts as 1."""
    op.execute("DELETE FROM run WHERE content = 'edges'")
    op.drop_constraint(op.f("ck_run_content"), "run")
    op.drop_column("run", "content")
    require_confidence()
    drop_supervoxels()
    op.drop_table("supervoxel_root")
    drop_data_sets()
    op.drop_table("data_set")


def create_data_set() -> None:
    """Create the table data_set."""
    op.create_table(
        "data_set",
        identity("data_set_id", "Number of the data set"),
        text("name", "Name of the data set"),
        sa.PrimaryKeyConstraint("data_set_id", name="pk_data_set"),
        sa.UniqueConstraint("name", name=op.f("uq_data_set_name")),
        comment="Data sets: the animal or volume that runs, roots and annotations belong to; ids mean something within "
        "one",
    )


def add_data_sets() -> None:
    """Say to which data set runs, versions of roots and annotations belong."""
    op.execute(ONE)
    op.execute(OWN)
    comments = {
        "run": "The data set that its ids belong to",
        "roots": "The data set that its ids belong to; NULL for version 0, which holds for all",
        "annotation": "The data set that the neuron belongs to",
    }
    for table, comment in comments.items():
        op.add_column(table, sa.Column("data_set_id", sa.Integer, autoincrement=False, comment=comment))
    op.execute(OF_RUN)
    op.execute(OF_OTHERS)
    for table in comments:
        cascade = "CASCADE" if table == "annotation" else None
        name = op.f(f"fk_{table}_data_set_id_data_set")
        op.create_foreign_key(name, table, "data_set", ["data_set_id"], ["data_set_id"], ondelete=cascade)
    op.alter_column("run", "data_set_id", nullable=False)
    op.create_check_constraint(op.f("ck_roots_data_set"), "roots", "(roots_id = 0) = (data_set_id IS NULL)")
    op.drop_constraint("pk_annotation", "annotation")
    op.create_primary_key("pk_annotation", "annotation", ["data_set_id", "roots_id", "neuron_id", "label"])


def drop_data_sets() -> None:
    """All ids are again of one world; of several annotations of an id the one of the oldest data set stays."""
    op.execute(
        "DELETE FROM annotation a USING annotation b WHERE a.data_set_id > b.data_set_id AND a.roots_id = b.roots_id "
        "AND a.neuron_id = b.neuron_id AND a.label = b.label"
    )
    op.drop_constraint("pk_annotation", "annotation")
    op.create_primary_key("pk_annotation", "annotation", ["roots_id", "neuron_id", "label"])
    op.drop_constraint(op.f("ck_roots_data_set"), "roots")
    for table in ("annotation", "roots", "run"):
        op.drop_column(table, "data_set_id")


def create_supervoxel_root() -> None:
    """Create the table supervoxel_root."""
    op.create_table(
        "supervoxel_root",
        integer("roots_id", "The version"),
        bigint("supervoxel_id", "The supervoxel"),
        bigint("root_id", "The neuron that the supervoxel belongs to"),
        sa.PrimaryKeyConstraint("roots_id", "supervoxel_id", name="pk_supervoxel_root"),
        sa.ForeignKeyConstraint(
            ["roots_id"], ["roots.roots_id"], name=op.f("fk_supervoxel_root_roots_id_roots"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("supervoxel_id > 0 AND root_id > 0", name=op.f("ck_supervoxel_root_ids")),
        comment="The root of each supervoxel in a version; what follows for the synapses is in synapse_root",
    )


def add_supervoxels() -> None:
    """Let a synapse keep the supervoxels of its partners; the views show them."""
    for name, comment in SUPERVOXELS.items():
        op.add_column("synapse", sa.Column(name, sa.BigInteger, comment=comment))
    op.create_check_constraint(
        op.f("ck_synapse_supervoxel_ids"), "synapse", "pre_supervoxel_id > 0 AND post_supervoxel_id > 0"
    )
    kept = [*(f"synapse.{name}" for name in VIEWS.SYNAPSE.split()), *(f"cleft.{name}" for name in VIEWS.CLEFT)]
    added = [f"synapse.{name}" for name in SUPERVOXELS]
    op.execute(f"CREATE OR REPLACE VIEW synapse_cleft AS SELECT {', '.join(kept + added)} FROM {VIEWS.JOINED}")
    op.execute(f"CREATE OR REPLACE VIEW synapse_best AS SELECT * FROM synapse_cleft WHERE run_id = {VIEWS.BEST}")
    for view in ("synapse_cleft", "synapse_best"):
        for name, comment in SUPERVOXELS.items():
            op.execute(f"COMMENT ON COLUMN {view}.{name} IS '{comment}'")
    show_supervoxels_of_cave()


def show_supervoxels_of_cave() -> None:
    """In the names of CAVE, a synapse without supervoxels has its segments as such."""
    own = {f"{side}_pt_supervoxel_id": f"coalesce({side}_supervoxel_id, {side}_segment_id)" for side in ("pre", "post")}
    selected = ", ".join(f"{own.get(name, value)} AS {name}" for name, value, _ in VIEWS.CAVE)
    op.execute(f"CREATE OR REPLACE VIEW cave_synapse AS SELECT {selected} FROM synapse_best")
    for side in ("pre", "post"):
        op.execute(
            f"COMMENT ON COLUMN cave_synapse.{side}_pt_supervoxel_id IS 'The supervoxel of the {side}synaptic point; "
            "the segment where none is known'"
        )


def drop_supervoxels() -> None:
    """Forget the supervoxels."""
    VIEWS.downgrade()
    op.drop_constraint(op.f("ck_synapse_supervoxel_ids"), "synapse")
    for name in SUPERVOXELS:
        op.drop_column("synapse", name)
    VIEWS.upgrade()
    op.execute(VIEWS_READER)


def let_confidence_be_unknown() -> None:
    """A synapse may have no confidence, and an edge no mean."""
    op.alter_column("synapse", "confidence", nullable=True)
    comment_on_confidence(UNKNOWN, KNOWN_MEAN)
    for table in ("edge", "root_edge"):
        op.alter_column(table, "mean_confidence", nullable=True)
        op.add_column(
            table,
            sa.Column(
                "unscored_count",
                sa.Integer,
                nullable=False,
                server_default="0",
                comment="Number of its synapses that have no confidence",
            ),
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_unscored_count"), table, "unscored_count BETWEEN 0 AND synapse_count"
        )


def require_confidence() -> None:
    """What isn't known counts as 1 again."""
    op.execute("UPDATE synapse SET confidence = 1 WHERE confidence IS NULL")
    op.alter_column("synapse", "confidence", nullable=False)
    for table in ("edge", "root_edge"):
        op.execute(
            f"UPDATE {table} SET mean_confidence = (coalesce(mean_confidence, 0) * (synapse_count - unscored_count) "
            "+ unscored_count) / synapse_count WHERE unscored_count > 0"
        )
        op.drop_constraint(op.f(f"ck_{table}_unscored_count"), table)
        op.drop_column(table, "unscored_count")
        op.alter_column(table, "mean_confidence", nullable=False)
    comment_on_confidence(OLD_UNKNOWN, "")


def comment_on_confidence(unknown: str, mean: str) -> None:
    """Say what NULL means."""
    for table in ("synapse", "synapse_cleft", "synapse_best"):
        op.execute(f"COMMENT ON COLUMN {table}.confidence IS '{CONFIDENCE.format(unknown)}'")
    for table in ("edge", "root_edge"):
        op.execute(f"COMMENT ON COLUMN {table}.mean_confidence IS '{MEAN}{mean}'")
