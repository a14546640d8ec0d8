"""Query results as numpy arrays: through binary COPY where all columns have a fixed size, else row by row."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import postgresql

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER_BYTES = 2
DTYPES = {20: ">i8", 21: ">i2", 23: ">i4", 700: ">f4", 701: ">f8", 16: "?"}  # by PostgreSQL's type number


def read_columns(connection: Connection, statement: Executable, parameters: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Run a query and return its columns by name.

    Returns:
        One array a column, native byte order; text, other types and columns with NULLs are object arrays.
    """
    cursor: Any = connection.connection.cursor()
    query = _literal_sql(cursor, statement, parameters)
    cursor.execute(f"SELECT * FROM ({query}) AS result LIMIT 0")
    names = [column.name for column in cursor.description]
    types = [column.type_code for column in cursor.description]
    if all(kind in DTYPES for kind in types):
        found = _fixed_size_columns(cursor, query, [DTYPES[kind] for kind in types])
        if found is not None:
            return dict(zip(names, found, strict=True))
    cursor.execute(query)
    rows = cursor.fetchall()
    return {name: _array([row[i] for row in rows], types[i]) for i, name in enumerate(names)}


def _literal_sql(cursor: Any, statement: Executable, parameters: dict[str, Any]) -> str:
    """The query with its values written into it, as COPY needs it; psycopg2 does the quoting."""
    compiled = statement.compile(  # type: ignore[attr-defined]
        dialect=postgresql.psycopg2.dialect(), compile_kwargs={"render_postcompile": True}
    )
    values = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in {**compiled.params, **parameters}.items()
    }
    sql: bytes = cursor.mogrify(str(compiled), values)
    return sql.decode()


def _fixed_size_columns(cursor: Any, query: str, dtypes: list[str]) -> list[NDArray[Any]] | None:
    """The columns of a result without NULLs; None if there are some, since its rows differ in size then."""
    buffer = io.BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer)
    row = np.dtype(
        [("fields", ">i2")]
        + [(f"{part}{i}", kind) for i, dtype in enumerate(dtypes) for part, kind in (("size", ">i4"), ("value", dtype))]
    )
    count, rest = divmod(len(buffer.getbuffer()) - len(HEADER) - TRAILER_BYTES, row.itemsize)
    if rest != 0:
        return None
    rows = np.frombuffer(buffer.getbuffer(), row, count, len(HEADER))
    if any((rows[f"size{i}"] != np.dtype(dtype).itemsize).any() for i, dtype in enumerate(dtypes)):
        return None
    return [rows[f"value{i}"].astype(np.dtype(dtype).newbyteorder("=")) for i, dtype in enumerate(dtypes)]


def _array(values: list[Any], kind: int) -> NDArray[Any]:
    if kind in DTYPES and None not in values:
        return np.array(values, np.dtype(DTYPES[kind]).newbyteorder("="))
    array = np.empty(len(values), object)
    array[:] = values
    return array
