from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Cli = Callable[..., Result]
VALUES = (
    "SELECT 9007199254740993 AS id, 12 AS small, 'a, \"b\"' AS label, NULL AS nothing, 0.5::real AS score, "
    "sum(9007199254740993) AS total, ARRAY[1, 9007199254740993] AS ids, 'NaN'::real AS odd"
)


def test_a_table_is_aligned_and_counts_its_rows_on_stderr(cli: Cli, database_url: str) -> None:
    result = cli("sql", "VALUES (1, 'a'), (864691135000000001, 'bc')", "--database-url", database_url)
    assert result.stdout.splitlines() == [
        "           column1  column2",
        "------------------  -------",
        "                 1  a",
        "864691135000000001  bc",
    ]
    assert result.stderr == "(2 rows)\n"


def test_csv_keeps_every_digit_and_quotes_what_it_must(cli: Cli, database_url: str) -> None:
    result = cli("sql", VALUES, "--format", "csv", "--database-url", database_url)
    assert list(csv.DictReader(io.StringIO(result.stdout))) == [
        {
            "id": "9007199254740993", "small": "12", "label": 'a, "b"', "nothing": "", "score": "0.5",
            "total": "9007199254740993", "ids": '[1, "9007199254740993"]', "odd": "nan",
        }
    ]  # fmt: skip


def test_json_has_ids_beyond_two_to_the_53_as_strings(cli: Cli, database_url: str) -> None:
    result = cli("sql", VALUES, "--format", "json", "--database-url", database_url)
    assert json.loads(result.stdout) == [
        {
            "id": "9007199254740993", "small": 12, "label": 'a, "b"', "nothing": None, "score": 0.5,
            "total": "9007199254740993", "ids": [1, "9007199254740993"], "odd": "nan",
        }
    ]  # fmt: skip
    assert result.stderr == ""


@pytest.mark.parametrize(("output", "expected"), [("json", []), ("csv", "run_id,name"), ("table", "run_id  name")])
def test_a_result_without_rows_is_still_well_formed(cli: Cli, database_url: str, output: str, expected: object) -> None:
    query = "SELECT run_id, name FROM run"
    stdout = cli("sql", query, "--format", output, "--database-url", database_url).stdout
    assert (json.loads(stdout) if output == "json" else stdout.splitlines()[0]) == expected


def test_json_refuses_two_columns_of_one_name(cli: Cli, database_url: str) -> None:
    result = cli("sql", "SELECT 1 AS a, 2 AS a", "--format", "json", "--database-url", database_url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "two columns are named 'a'" in result.stderr


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM run",
        "DROP TABLE run",
        "COPY run TO PROGRAM 'cat'",
        "SELECT 1; SELECT 2",
        "SELECT pg_sleep(30)",
        "SELEC",
    ],
)
def test_what_does_not_read_or_takes_too_long_ends_with_one_line(cli: Cli, database_url: str, query: str) -> None:
    result = cli("sql", query, "--timeout", "0.3", "--database-url", database_url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_folder_without_a_database_is_told(cli: Cli, tmp_path: Path) -> None:
    result = cli("sql", "SELECT 1", "--data-folder", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error: no database in ")
    assert not (tmp_path / "none").exists()
