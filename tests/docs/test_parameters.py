"""The table in docs/how-it-works.md is the one in the code. `python tests/docs/test_parameters.py` writes it."""

from __future__ import annotations

from pathlib import Path

from connectome.pipeline.parameters import PARAMETERS, Option

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"
BEGIN, END = "<!-- parameters: made from connectome/pipeline/parameters.py -->\n", "<!-- end of parameters -->\n"


def tried(option: Option) -> str:
    """What tuning tries, in words."""
    usual, polyadic = (", ".join(f"{value:g}" for value in values) for values in (option.tried, option.tried_polyadic))
    if usual == polyadic or not polyadic:
        return usual or "-"
    return f"{usual or '-'} (polyadic: {polyadic})"


def table() -> str:
    """The table as Markdown."""
    lines = ["| option | what it does | allowed | default | `tune` tries |", "|---|---|---|---|---|"]
    for option in PARAMETERS.values():
        flag = option.flag if option.off_flag is None else f"{option.flag}`, `{option.off_flag}"
        allowed = option.range_text or ("-" if option.kind is bool else (option.metavar or "").replace("|", ", "))
        cells = (f"`{flag}`", option.help, allowed, option.shown_default, tried(option))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """The page with the table of now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def test_the_page_shows_the_table_of_parameters() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "run python tests/docs/test_parameters.py"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
