from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from connectome.errors import RunConflictError, TableError
from connectome.query.importing_edges import EdgeImportRequest, import_edges
from connectome.store.database import Database
from connectome.store.runs.runs import find_run


def stored(database: Database, run: str) -> dict[tuple[int, int], tuple[int, float | None]]:
    found = database.columns(
        "SELECT pre_segment_id, post_segment_id, synapse_count, mean_confidence FROM edge JOIN run USING (run_id) "
        "WHERE name = :run ORDER BY 1, 2",
        {"run": run},
    )
    pre, post, counts, confidence = (column.tolist() for column in found.values())
    return dict(zip(zip(pre, post, strict=True), zip(counts, confidence, strict=True), strict=True))


def names(database: Database) -> dict[str, int]:
    found = database.columns("SELECT value, neuron_id FROM annotation WHERE label = 'name'")
    return dict(zip(found["value"].tolist(), found["neuron_id"].tolist(), strict=True))


def write(folder: Path, text: str) -> Path:
    path = folder / "edges.csv"
    path.write_text(text)
    return path


def test_rows_of_a_pair_are_added_up_and_their_confidence_is_that_of_those_that_have_one(
    database: Database, tmp_path: Path
) -> None:
    path = write(tmp_path, "pre,post,weight,mean_confidence\n5,6,3,0.5\n5,6,1,0.9\n5,6,2,\n6,6,1,\n6,5,1,7\n")
    report = import_edges(database, EdgeImportRequest(path=path, name="added"))
    assert (report.edges, report.synapses, report.neurons, report.rows, report.named) == (3, 8, 2, 5, False)
    assert stored(database, "added") == {
        (5, 6): (6, pytest.approx((3 * 0.5 + 0.9) / 4)),
        (6, 5): (1, None),
        (6, 6): (1, None),
    }
    unscored = database.columns("SELECT unscored_count FROM edge ORDER BY pre_segment_id, post_segment_id")
    assert unscored["unscored_count"].tolist() == [2, 1, 1]


def test_neurons_with_names_are_numbered_once_a_data_set(database: Database, tmp_path: Path) -> None:
    first = import_edges(
        database, EdgeImportRequest(path=write(tmp_path, "B,A,3\nÄ,B,1\n"), name="chemical", data_set="worm")
    )
    assert (first.named, first.neurons, names(database)) == (True, 3, {"A": 1, "B": 2, "Ä": 3})
    gap = write(tmp_path, "source,target,weight\nC,A,2\n12,A,1\n")
    import_edges(database, EdgeImportRequest(path=gap, name="gap", data_set="worm"))
    assert names(database) == {"A": 1, "B": 2, "Ä": 3, "12": 4, "C": 5}
    assert stored(database, "chemical") == {(2, 1): (3, None), (3, 2): (1, None)}
    assert stored(database, "gap") == {(5, 1): (2, None), (4, 1): (1, None)}


def test_an_error_leaves_no_run_behind(database: Database, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no edge between two neurons"):
        import_edges(database, EdgeImportRequest(path=write(tmp_path, "pre,post,weight\n0,5,1\n"), name="none"))
    assert find_run(database, "none") is None
    import_edges(database, EdgeImportRequest(path=write(tmp_path, "pre,post,weight\n4,5,1\n"), name="some"))
    with pytest.raises(RunConflictError, match="some"):
        import_edges(database, EdgeImportRequest(path=tmp_path / "edges.csv", name="some"))


@pytest.mark.parametrize(("file", "named"), [("larva_edges.txt", False), ("celegans_edges.csv", True)])
def test_published_edge_lists_have_the_counts_of_the_files(
    database: Database, tmp_path: Path, real_data: Path, file: str, named: bool
) -> None:
    path = real_data / "tables" / file
    table = pd.read_csv(path, sep=None, engine="python", header=None, names=["pre", "post", "count"])
    wanted = table.groupby(["pre", "post"])["count"].sum()
    report = import_edges(database, EdgeImportRequest(path=path, name="published"))
    assert report.named is named
    assert (report.edges, report.synapses) == (len(wanted), int(wanted.sum()))
    assert report.neurons == len(set(table["pre"]) | set(table["post"]))
    number = names(database) if named else {name: name for name in (*table["pre"], *table["post"])}
    found = {pair: count for pair, (count, _) in stored(database, "published").items()}
    assert found == {(number[pre], number[post]): int(count) for (pre, post), count in wanted.items()}
