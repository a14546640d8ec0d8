"""The entity-relationship picture of docs/schema.svg, drawn from the live schema.

    python benchmarks/schema_picture.py --database-url "$(connectome db url)" --output docs/schema.svg

It needs Graphviz's `dot` (Debian: apt-get install graphviz). Blue tables are partitioned by run: dashed lines. Foreign
keys between the partitions of one run are drawn between their tables.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from connectome.store.database import Database

COLUMNS = """
SELECT c.relname::text AS name, a.attname::text AS col, format_type(a.atttypid, a.atttypmod) AS kind,
       a.attnotnull AS required, c.relkind = 'p' AS parted, coalesce(a.attnum = ANY(k.conkey), false) AS key
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> 'alembic_version' ORDER BY c.relname, a.attnum
"""
REFERENCES = """
SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target, false AS by_partition
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace
      AND NOT (SELECT relispartition FROM pg_class WHERE oid = conrelid)
UNION SELECT referencing, referenced, false FROM partition_references()
UNION SELECT parted, 'run', true FROM unnest(partitioned_tables()) AS parted
      WHERE parted NOT IN (SELECT referencing FROM partition_references())
ORDER BY 1, 2
"""
STYLE = 'rankdir=LR; nodesep=0.25; node [shape=plain fontname="Helvetica" fontsize=10]; edge [color="#556677"];'


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--output", type=Path, default=Path("docs/schema.svg"))
    arguments = parser.parse_args()
    with Database.open(arguments.database_url, Path()) as database:
        text = description(database)
    subprocess.run(["dot", "-Tsvg", "-o", str(arguments.output)], input=text, text=True, check=True)


def description(database: Database) -> str:
    """The schema in Graphviz's language."""
    columns = database.columns(COLUMNS)
    tables: dict[str, list[str]] = {}
    for name, column, kind, required, parted, key in zip(*columns.values(), strict=True):
        head = f'<tr><td bgcolor="{"#cfe3f5" if parted else "#e6e6e6"}" colspan="2"><b>{name}</b></td></tr>'
        shown = f"<u>{column}</u>" if key else column
        optional = "" if required else " ?"
        tables.setdefault(name, [head]).append(
            f'<tr><td align="left">{shown}</td><td align="left"><font color="#667788">{kind}{optional}</font></td></tr>'
        )
    lines = [
        f'"{name}" [label=<<table border="0" cellborder="1" cellspacing="0" cellpadding="2">{"".join(rows)}</table>>];'
        for name, rows in tables.items()
    ]
    references = database.columns(REFERENCES)
    for source, target, by_partition in zip(*references.values(), strict=True):
        dashed = " style=dashed" if by_partition else ""
        lines.append(f'"{target}" -> "{source}" [arrowhead=crow{dashed}];')
    return "\n".join(["digraph schema {", STYLE, *lines, "}"])


if __name__ == "__main__":
    main()
