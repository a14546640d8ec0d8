"""A box of any size takes no longer than a look at all clefts of the run.

Revision: 0019, after 0018.

Small boxes are looked up row of cells by row of cells. The rows of cells in a box of a centimetre are millions, most of
them beyond the data, so larger boxes are compared with each cleft.
"""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE = import_module("connectome.migrations.versions.0007_edges")
SIDES = ("start_x_nm", "start_y_nm", "start_z_nm", "stop_x_nm", "stop_y_nm", "stop_z_nm")
FEW_ROWS = (
    f"(greatest({', '.join(f'abs(clefts_in_box.{side})' for side in SIDES)}) < 2147483648"
    " AND (floor(clefts_in_box.stop_z_nm / 2048) - floor(clefts_in_box.start_z_nm / 2048) + 1)"
    " * (floor(clefts_in_box.stop_y_nm / 2048) - floor(clefts_in_box.start_y_nm / 2048) + 1) <= 10000)"
)
WITHIN = " AND ".join(
    f"inside.{axis}_nm >= clefts_in_box.start_{axis}_nm AND inside.{axis}_nm < clefts_in_box.stop_{axis}_nm"
    for axis in "xyz"
)


def near(side: str) -> str:
    """A side that cells can be counted from, whatever was given: planning a query works some of it out."""
    return f"least(greatest(clefts_in_box.{side}, -2147481600), 2147481600)"


def rows_of_cells(axis: str) -> str:
    """The cells of an axis that a small box touches; none of a large one."""
    start, stop = (f"floor({near(f'{side}_{axis}_nm')} / 2048)::integer" for side in ("start", "stop"))
    return f"generate_series(CASE WHEN {FEW_ROWS} THEN {start} ELSE 1 END, CASE WHEN {FEW_ROWS} THEN {stop} ELSE 0 END)"


IN_BOX = f"""
CREATE OR REPLACE FUNCTION clefts_in_box(
    of_run integer, start_x_nm double precision, start_y_nm double precision, start_z_nm double precision,
    stop_x_nm double precision, stop_y_nm double precision, stop_z_nm double precision
) RETURNS SETOF cleft LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT inside.* FROM {rows_of_cells("z")} AS z CROSS JOIN {rows_of_cells("y")} AS y CROSS JOIN LATERAL (
        SELECT * FROM cleft
        WHERE run_id = of_run AND nm_cell(cleft.x_nm, cleft.y_nm, cleft.z_nm)
              BETWEEN nm_cell({near("start_x_nm")}, 2048 * y::double precision, 2048 * z::double precision)
                  AND nm_cell({near("stop_x_nm")}, 2048 * y::double precision, 2048 * z::double precision)
        OFFSET 0
    ) AS inside
    WHERE {WITHIN}
    UNION ALL
    SELECT inside.* FROM cleft AS inside WHERE run_id = of_run AND NOT {FEW_ROWS} AND {WITHIN}
$$
"""


def upgrade() -> None:
    """Look at each cleft where a box has many rows of cells."""
    op.execute(IN_BOX)


def downgrade() -> None:
    """Look up every row of cells again."""
    op.execute(BEFORE.IN_BOX.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
