from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from connectome.tables import results
from connectome.tables.results import BatchReceiver, TableReceiver, python_rows

COLUMNS = [("id", "bigint"), ("text", "text"), ("score", "real"), ("ok", "boolean")]


def test_lines_become_rows_with_nulls_apart_from_empty_texts() -> None:
    receiver = TableReceiver()
    receiver.begin(COLUMNS)
    receiver.write(b'9223372036854775807,"",0.1,t\n')
    receiver.write(b',"two\nlines",,f\n')
    assert list(python_rows(receiver.table())) == [
        (9223372036854775807, "", 0.1, True),
        (None, "two\nlines", None, False),
    ]


def test_an_empty_result_has_its_columns() -> None:
    receiver = TableReceiver()
    receiver.begin(COLUMNS)
    table = receiver.table()
    assert (table.num_rows, table.column_names) == (0, ["id", "text", "score", "ok"])


def test_arrows_threads_are_given_no_python_object_that_they_would_have_to_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources: list[Any] = []
    read_csv = results.csv.read_csv

    def recording(source: Any, **options: Any) -> pa.Table:
        sources.append(source)
        return read_csv(source, **options)

    monkeypatch.setattr(results.csv, "read_csv", recording)
    batches: list[pa.RecordBatch] = []
    receiver = BatchReceiver(batches.append)
    receiver.begin(COLUMNS[:1])
    receiver.write(b"7\n")
    receiver.flush()
    assert [batch.to_pydict() for batch in batches] == [{"id": [7]}]
    assert [type(source) for source in sources] == [pa.BufferReader]
