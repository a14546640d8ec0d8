from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from synapse_batches import batch_of, example_rows, synapse_rows

from connectome.tables.column_sets import COLUMN_SETS
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.synapse_reading import SynapseReader
from connectome.tables.synapse_writing import TableTarget, write_synapses

Rows = list[dict[str, Any]]
UNITS = [(1.0, 1.0, 1.0), (40.0, 4.0, 4.0)]


def round_trip(folder: Path, columns: Columns, kind: FileKind, batch: pa.RecordBatch, unit: Any = UNITS[0]) -> pa.Table:
    path = folder / f"table.{kind}"
    with write_synapses(TableTarget(path=path, kind=kind, columns=columns, unit_nm=unit)) as writer:
        writer.write_batch(batch)
    return pa.Table.from_batches(SynapseReader(path=path, columns=columns, unit_nm=unit).batches())


@pytest.mark.parametrize("kind", FileKind)
@pytest.mark.parametrize("columns", COLUMN_SETS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=synapse_rows())
def test_what_a_column_set_carries_comes_back_exactly(
    tmp_path: Path, columns: Columns, kind: FileKind, rows: Rows
) -> None:
    batch = batch_of(rows)
    back = round_trip(tmp_path, columns, kind, batch)
    for name in ("cleft_id", "pre_segment_id", "post_segment_id"):
        assert back[name].to_pylist() == batch[name].to_pylist()
    for field in COLUMN_SETS[columns].fields:
        if field.ours != "confidence" or columns is Columns.CONNECTOME or columns is Columns.FLYWIRE:
            assert back[field.ours].to_pylist() == batch[field.ours].to_pylist(), field.ours


@pytest.mark.parametrize("columns", COLUMN_SETS)
def test_a_second_round_trip_changes_nothing(tmp_path: Path, columns: Columns) -> None:
    once = round_trip(tmp_path, columns, FileKind.PARQUET, batch_of(example_rows(50)), UNITS[1])
    twice = round_trip(tmp_path, columns, FileKind.CSV, once.combine_chunks().to_batches()[0], UNITS[1])
    assert twice.equals(once)


def test_positions_are_written_in_the_unit_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    batch = batch_of(
        [{"cleft_id": 1, "pre_segment_id": 2, "post_segment_id": 3, "x_nm": 8.0, "y_nm": 4.0, "z_nm": 40.0}]
    )
    target = TableTarget(path=path, kind=FileKind.CSV, columns=Columns.SYNAPTOR, unit_nm=(40.0, 4.0, 4.0))
    with write_synapses(target) as writer:
        writer.write_batch(batch)
    header, row = path.read_text().splitlines()
    values = dict(zip(header.replace('"', "").split(","), row.split(","), strict=True))
    assert (values["centroid_x"], values["centroid_y"], values["centroid_z"]) == ("2", "1", "1")
    assert values["size"] == ""
