"""`connectome plot`: each figure as each kind of file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from matplotlib.image import imread
from typer.testing import Result

from connectome.query.importing_edges import EdgeImportRequest, import_edges
from connectome.query.proofreading import import_annotations
from connectome.store.database import Database
from connectome.tables.neuron_tables import AnnotationTable

Cli = Callable[..., Result]
FIGURES = {
    "adjacency": ((), ("KC", "presynaptic neuron")),
    "distributions": ((), ("partners of a neuron", "outputs")),
    "partners": (("2",), ("inputs", "MBON", "one")),
    "motifs": (("--random", "3"), ("030T", "normalised z score")),
}


@pytest.fixture(scope="module")
def url(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("plots")
    (folder / "edges.csv").write_text("pre,post,count\n1,2,5\n2,1,1\n2,3,4\n3,3,2\n4,2,7\n4,3,1\n1,5,1\n5,4,2\n")
    (folder / "types.csv").write_text("neuron_id,type,name\n1,KC,one\n3,MBON,\n")
    with Database.open(module_database_url, folder) as database:
        import_edges(database, EdgeImportRequest(path=folder / "edges.csv", name="small", data_set="lab"))
        import_annotations(database, AnnotationTable(path=folder / "types.csv"))
    yield module_database_url


@pytest.mark.parametrize("figure", list(FIGURES))
def test_a_figure_says_what_it_shows_and_is_the_same_again(cli: Cli, url: str, tmp_path: Path, figure: str) -> None:
    arguments, texts = FIGURES[figure]
    bytes_of = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "figure.svg"
        result = cli("plot", figure, path, *arguments, "--run", "small", "--database-url", url)
        assert (result.exit_code, result.stdout) == (0, f"{path}\n"), result.stderr
        bytes_of.append(path.read_bytes())
    assert bytes_of[0] == bytes_of[1]
    shown = set(re.findall(r">([^<>]+)</text>", bytes_of[0].decode()))
    assert all(any(text in one for one in shown) for text in texts), shown


def test_the_name_of_the_file_says_its_kind(cli: Cli, url: str, tmp_path: Path) -> None:
    for kind, begins in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        path = tmp_path / f"figure.{kind}"
        result = cli("plot", "adjacency", path, "--order", "community", "--run", "small", "--database-url", url)
        assert result.exit_code == 0, result.stderr
        assert path.read_bytes().startswith(begins)
    pixels = imread(tmp_path / "figure.png")
    assert len({tuple(pixel) for row in pixels[::7, ::7] for pixel in row.tolist()}) > 3


def test_a_part_without_edges_is_an_empty_figure(cli: Cli, url: str, tmp_path: Path) -> None:
    for figure in ("adjacency", "distributions", "motifs"):
        path = tmp_path / f"{figure}.svg"
        result = cli("plot", figure, path, "--min-synapses", "100", "--run", "small", "--database-url", url)
        assert result.exit_code == 0, result.stderr
