"""The report's page: HTML that needs nothing from elsewhere, on paper, on a phone, in the dark, read aloud."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #ffffff; --faint: #5c5f66; --line: #d5d7dc;
        --accent: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ec; --paper: #16171a; --faint: #a4a8b0; --line: #3a3d44; --accent: #7db8f5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink); background: var(--paper);
       font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0.5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 0.4rem; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
p.note { color: var(--faint); } p.warning { border-left: 4px solid #d55e00; padding: 0.3rem 0.8rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; list-style: none; padding: 0; margin: 0.5rem 0; }
nav a { display: inline-block; padding: 0.2rem 0; }
div.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10rem, 45%), 1fr)); gap: 0.8rem; }
figure { margin: 0; } figure svg, figure img { width: 100%; height: auto; display: block; }
figure.wide { max-width: 46rem; } figcaption { font-size: 0.85rem; color: var(--faint); }
.key { display: inline-block; width: 1.6em; border-top: 3px solid; vertical-align: middle; }
@media print { nav { display: none; } body { max-width: none; font-size: 9pt; } figure, tr { break-inside: avoid; } }
"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the page: a heading, and what is below it as HTML."""

    title: str
    body: str

    @property
    def anchor(self) -> str:
        """Its address within the page."""
        return "".join(c if c.isalnum() else "-" for c in self.title.lower())


def page(title: str, lead: str, parts: Sequence[Part]) -> str:
    """The whole page.

    Args:
        title: plain text.
        lead: HTML below the title.
        parts: in their order.
    """
    links = "".join(f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>' for part in parts)
    sections = "".join(
        f'<section aria-labelledby="{one.anchor}"><h2 id="{one.anchor}">{escape(one.title)}</h2>{one.body}</section>'
        for one in parts
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f"<header><h1>{escape(title)}</h1>{lead}</header>\n"
        f'<nav aria-label="Parts of the report"><ul>{links}</ul></nav>\n'
        f"<main>\n{sections}</main>\n</body>\n</html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """A table; numbers stand right."""
    numeric = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]

    def cell(tag: str, value: object, number: bool, scope: str = "") -> str:
        return f"<{tag}{scope}{' class=number' if number else ''}>{escape(text_of(value))}</{tag}>"

    top = "".join(cell("th", name, number, ' scope="col"') for name, number in zip(head, numeric, strict=True))
    below = "".join(
        "<tr>" + "".join(cell("td", value, number) for value, number in zip(row, numeric, strict=True)) + "</tr>"
        for row in rows
    )
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="table" role="region" aria-label="{escape(caption or "table")}" tabindex="0">'
        f"<table>{named}<thead><tr>{top}</tr></thead><tbody>{below}</tbody></table></div>"
    )


def facts(rows: Sequence[tuple[str, object]]) -> str:
    """Names and their values, one a row."""
    below = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text_of(value))}</td></tr>' for name, value in rows
    )
    return (
        f'<div class="table" role="region" aria-label="facts" tabindex="0"><table><tbody>{below}</tbody></table></div>'
    )


def drawing(svg: str, says: str, values: str = "", *, wide: bool = False) -> str:
    """A figure from SVG; `says` is what a screen reader reads, `values` a table of what is drawn."""
    named = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(says)}" ', 1)
    behind = f"<details><summary>the values</summary>{values}</details>" if values else ""
    return f"<figure{' class=wide' if wide else ''}>{named}<figcaption>{escape(says)}</figcaption>{behind}</figure>"


def picture(png: bytes, says: str, caption: str) -> str:
    """A picture with its text for those who don't see it, and a caption."""
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(says)}" loading="lazy">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def text_of(value: object) -> str:
    """A value as people read it."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case _:
            return str(value)
