"""URLs of volumes without the logins, tokens and signatures that were stored with them.

Revision: 0018, after 0017.

Volumes that differ in those alone are one volume; data sets named by such URLs are renamed, with a number where the
name is then taken.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from connectome.credentials import without_credentials

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

IDENTITY = (
    "role",
    "url",
    "dtype",
    *(f"shape_{axis}" for axis in "zyx"),
    *(f"{what}_{axis}_nm" for what in ("resolution", "offset") for axis in "zyx"),
)


def upgrade() -> None:
    """Clean what is stored."""
    connection = op.get_bind()
    op.alter_column("volume", "url", comment="Where the volume lies, as it was given, without credentials")
    merge_volumes(connection)
    rename_data_sets(connection)
    clean_texts(connection, "roots", "source", ("roots_id",))
    clean_texts(connection, "block", "error", ("run_id", "stage", "block_id"))
    runs = sa.table("run", sa.column("run_id"), sa.column("parameters", JSONB))
    for run_id, parameters in connection.execute(sa.select(runs)).all():
        if (clean := cleaned(parameters)) != parameters:
            connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(parameters=clean))


def downgrade() -> None:
    """What was removed isn't known any more; the comment is the old one."""
    op.alter_column("volume", "url", comment="Where the volume lies, as it was given")


def merge_volumes(connection: sa.Connection) -> None:
    """Clean the URLs of volumes; what is then the same volume becomes the first of them."""
    kept: dict[tuple[Any, ...], int] = {}
    rows = connection.execute(sa.text(f"SELECT volume_id, {', '.join(IDENTITY)} FROM volume ORDER BY volume_id")).all()
    for volume_id, role, url, *rest in rows:
        clean = without_credentials(url)
        first = kept.setdefault((role, clean, *rest), volume_id)
        if first != volume_id:
            for column in ("image_volume_id", "segmentation_volume_id"):
                connection.execute(
                    sa.text(f"UPDATE run SET {column} = :first WHERE {column} = :other"),
                    {"first": first, "other": volume_id},
                )
            connection.execute(sa.text("DELETE FROM volume WHERE volume_id = :other"), {"other": volume_id})
    for (_, clean, *_), volume_id in kept.items():
        connection.execute(
            sa.text("UPDATE volume SET url = :url WHERE volume_id = :volume AND url <> :url"),
            {"url": clean, "volume": volume_id},
        )


def rename_data_sets(connection: sa.Connection) -> None:
    """Clean the names that data sets got from URLs."""
    rows = connection.execute(sa.text("SELECT data_set_id, name FROM data_set ORDER BY data_set_id")).all()
    taken = {name for _, name in rows}
    for data_set_id, name in rows:
        clean = without_credentials(name)
        if clean == name:
            continue
        number = 1
        while (new := clean if number == 1 else f"{clean} ({number})") in taken:
            number += 1
        taken.add(new)
        connection.execute(
            sa.text("UPDATE data_set SET name = :name WHERE data_set_id = :number"),
            {"name": new, "number": data_set_id},
        )


def clean_texts(connection: sa.Connection, table: str, column: str, key: tuple[str, ...]) -> None:
    """Clean a column of texts."""
    rows = connection.execute(sa.text(f"SELECT {column}, {', '.join(key)} FROM {table} WHERE {column} LIKE '%://%'"))
    where = " AND ".join(f"{name} = :{name}" for name in key)
    for text, *values in rows.all():
        if (clean := without_credentials(text)) != text:
            connection.execute(
                sa.text(f"UPDATE {table} SET {column} = :clean WHERE {where}"),
                {"clean": clean, **dict(zip(key, values, strict=True))},
            )


def cleaned(value: Any) -> Any:
    """A JSON value with all its texts cleaned."""
    match value:
        case str():
            return without_credentials(value)
        case dict():
            return {key: cleaned(part) for key, part in value.items()}
        case list():
            return [cleaned(part) for part in value]
        case _:
            return value
