"""The report of a run: whole, self-contained, and true."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from connectome.errors import RunNotFoundError
from connectome.query.connectome import Connectome
from connectome.view.page import Part, page, table
from connectome.view.report import write_report


class Outline(HTMLParser):
    """The tags of a page, and the text in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def report(connectome: Connectome, tmp_path_factory: pytest.TempPathFactory) -> Outline:
    path = write_report(connectome, "small", tmp_path_factory.mktemp("report") / "small.html")
    return Outline(path.read_text())


def test_nothing_is_fetched_from_elsewhere(report: Outline) -> None:
    addresses = [a.get("src") or a.get("href") or "" for tag, a in report.tags if tag in ("img", "link", "script", "a")]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not report.all("script")


def test_it_says_how_many_synapses_the_run_has(report: Outline, connectome: Connectome) -> None:
    assert re.search(rf"synapses{len(connectome.synapses()):,}edges{len(connectome.edges()):,}", report.text)


def test_every_picture_has_a_text_and_every_drawing_a_name(report: Outline) -> None:
    pictures, drawings = report.all("img"), report.all("svg")
    assert len(pictures) == 18
    assert all(picture["alt"] for picture in pictures)
    assert len(drawings) >= 5
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)


def test_every_link_leads_to_a_part(report: Outline) -> None:
    anchors = {attributes.get("id") for _, attributes in report.tags}
    assert {link["href"].removeprefix("#") for link in report.all("a")} <= anchors


def test_text_of_a_run_is_never_markup() -> None:
    text = page("<script>", "", [Part(title="a & b", body=table(("<b>",), [("<i>x</i>",)]))])
    assert not Outline(text).all("script") and not Outline(text).all("i")
    assert "&lt;i&gt;x&lt;/i&gt;" in text


def test_a_run_that_is_not_there_leaves_no_file(connectome: Connectome, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError):
        write_report(connectome, "other", tmp_path / "other.html")
    assert list(tmp_path.iterdir()) == []
