"""Tables of arrays: their columns are those of the database, and their rows survive the way there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import REAL, BigInteger, Double, Integer, SmallInteger, Text

from connectome.records import AssignedSynapses, Candidates, Clefts, Edges, Fragments, Synapses, Table
from connectome.store.schema.tables import METADATA

TABLES = (Fragments, Clefts, Candidates, Synapses, AssignedSynapses, Edges)
KINDS = {"i": (BigInteger, Integer, SmallInteger), "u": (BigInteger,), "f": (REAL, Double), "U": (Text,)}
MADE_BY_THE_STORE = {
    "fragment": {"block_id"},
    "cleft": {"block_id", "state"},
    "candidate": set(),
    "synapse": {"number", "source_id", "pre_supervoxel_id", "post_supervoxel_id"},
    "edge": {"unscored_count"},
}


def example(rows: type[Table], count: int = 5) -> Table:
    """Rows whose values all differ."""
    values = {}
    for place, (name, column) in enumerate(rows.described().items()):
        shape = (count, 3) if column.spelled else (count,)
        values[name] = (100 * place + np.arange(np.prod(shape)).reshape(shape)).astype(column.dtype)
    return rows(**values)


@pytest.mark.parametrize("rows", TABLES)
def test_columns_are_those_of_the_database(rows: type[Table]) -> None:
    for name, column in rows.described().items():
        for sql_name in column.sql_names(name):
            # corners are voxels in arrays and nm in the database
            kind = "f" if sql_name.endswith("_nm") else np.dtype(column.dtype).kind
            assert isinstance(METADATA.tables[column.table or rows.table].columns[sql_name].type, KINDS[kind])


@pytest.mark.parametrize("rows", [Fragments, Clefts, Candidates, AssignedSynapses, Edges])
def test_no_column_of_the_database_is_forgotten(rows: type[Table]) -> None:
    own = {name for name, table in rows.columns().items() if table == rows.table}
    assert own | MADE_BY_THE_STORE[rows.table] | {"run_id"} == set(METADATA.tables[rows.table].columns.keys())


@pytest.mark.parametrize("rows", [Fragments, Clefts, Candidates, Edges])
def test_rows_survive_the_way_to_sql_and_back(rows: type[Table]) -> None:
    before = example(rows)
    after = rows.of_sql(before.to_sql())
    for name in rows.described():
        assert np.array_equal(getattr(before, name), getattr(after, name))
        assert getattr(before, name).dtype == getattr(after, name).dtype


def test_a_vector_is_spelled_by_axis() -> None:
    columns = example(Clefts).to_sql()
    assert np.array_equal(columns["x_nm"], example(Clefts).centroid_nm[:, 2])
    assert np.array_equal(columns["start_z_nm"], example(Clefts).start[:, 0])


def test_columns_of_other_tables_are_read_but_not_written() -> None:
    assert "size_voxels" in AssignedSynapses.columns()
    assert "size_voxels" not in example(AssignedSynapses).to_sql()


def test_a_confidence_that_nobody_knows_is_no_number() -> None:
    columns = {name: np.zeros(2) for name in Synapses.columns()}
    found = Synapses.of_sql(columns | {"confidence": np.array([None, 0.5], object)})
    assert np.isnan(found.confidence[0]) and found.confidence[1] == 0.5


@pytest.mark.parametrize("rows", TABLES)
def test_rows_are_taken_and_joined(rows: type[Table]) -> None:
    whole = example(rows)
    parts = [whole.take(np.arange(2)), whole.take(np.arange(5) >= 2)]
    joined = rows.concatenated(parts)
    assert [len(part) for part in (*parts, joined, rows.empty(), rows.concatenated([]))] == [2, 3, 5, 0, 0]
    for name in rows.described():
        assert np.array_equal(getattr(joined, name), getattr(whole, name))
        assert getattr(rows.empty(), name).dtype == getattr(whole, name).dtype


def test_tables_are_frozen() -> None:
    edges = example(Edges)
    with pytest.raises(AttributeError):
        edges.size_voxels = np.zeros(5)
    assert replace(edges, size_voxels=np.zeros(5)).size_voxels.sum() == 0
