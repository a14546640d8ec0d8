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
            "id": "9007199254740993",
            "small": "12",
            "label": 'a, "b"',
            "nothing": "",
            "score": "0.5",
            "total": "9007199254740993",
            "ids": '[1, "9007199254740993"]',
            "odd": "nan",
        }
    ]


def test_json_has_ids_beyond_two_to_the_53_as_strings(cli: Cli, database_url: str) -> None:
    result = cli("sql", VALUES, "--format", "json", "--database-url", database_url)
    assert json.loads(result.stdout) == [
        {
            "id": "9007199254740993",
            "small": 12,
            "label": 'a, "b"',
            "nothing": None,
            "score": 0.5,
            "total": "9007199254740993",
            "ids": [1, "9007199254740993"],
            "odd": "nan",
        }
    ]
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


def test_the_library_is_listed_with_what_each_query_takes(cli: Cli) -> None:
    lines = cli("sql", "--list").stdout.splitlines()
    at = lines.index("partners")
    assert lines[at + 2 : at + 5] == [
        "    neuron: the neuron, or several with commas between, bigint[]",
        "    direction: which partners, inputs|outputs|both (default both)",
        "    of the filter: run, roots, min_synapses, min_confidence, min_size, max_size, box_nm, pre_type, post_type",
    ]
    assert (
        "    min_synapses: leave out edges of fewer synapses, integer (default 1)" in lines[lines.index("the filter") :]
    )
    assert sum(not line.startswith(" ") for line in lines) >= 14


def test_a_ready_query_runs_by_its_name_with_parameters(cli: Cli, database_url: str) -> None:
    result = cli("sql", "--name", "runs", "--format", "json", "--database-url", database_url)
    assert json.loads(result.stdout) == []
    values = ("--param", "first=a", "--param", "second=b")
    missing = cli("sql", "--name", "compare_runs", *values, "--database-url", database_url)
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "no run named 'a'" in missing.stderr
    lacking = cli("sql", "--name", "partners", "--database-url", database_url)
    assert (lacking.exit_code, "give it as --param NAME=VALUE" in lacking.stderr) == (4, True)


def test_a_query_may_come_from_a_file(cli: Cli, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("-- one\nSELECT 1 AS one;\n")
    result = cli("sql", "-f", tmp_path / "one.sql", "--format", "csv", "--database-url", database_url)
    assert result.stdout == "one\n1\n"
    absent = cli("sql", "-f", tmp_path / "two.sql", "--database-url", database_url)
    assert (absent.exit_code, absent.stderr.count("\n")) == (3, 1)


@pytest.mark.parametrize(
    "arguments",
    [(), ("SELECT 1", "--name", "runs"), ("SELECT 1", "--param", "a=1"), ("--name", "runs", "--param", "a")],
)
def test_one_query_is_asked_at_a_time(cli: Cli, database_url: str, arguments: tuple[str, ...]) -> None:
    result = cli("sql", *arguments, "--database-url", database_url)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize("timeout", ["inf", "nan", "0", "-1"])
def test_a_timeout_that_is_no_time_is_refused(cli: Cli, database_url: str, timeout: str) -> None:
    result = cli("sql", "SELECT 1", "--timeout", timeout, "--database-url", database_url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--timeout" in result.stderr
