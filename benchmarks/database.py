"""How fast the database loads and answers: a generated connectome, psql's own copy beside it, the usual questions.

    python benchmarks/database.py                      # 20 million synapses: 20 minutes, 30 GB of disk
    python benchmarks/database.py --synapses 200000    # a minute
    python benchmarks/database.py --keep --parts load  # and later, in the same folder: --keep --parts questions

It works in a server of its own in --folder, or in an empty database at --database-url. What a part measures is kept in
the folder, so that parts can be run one by one; without --keep the folder is removed at the end. The report in --output
tells what was measured so far.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from database_loads import RUN, copy_with_psql, load, load_blocks
from database_questions import ask
from database_report import Load, Timing, machine, report, settings
from generated_connectome import generate

from connectome.store.database import Database
from connectome.store.runs.runs import delete_run, get_run
from connectome.store.server.embedded import EmbeddedServer

BLOCKS = 2_000_000


def main() -> None:
    """Run the parts and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synapses", type=int, default=20_000_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    parser.add_argument("--keep", action="store_true", help="leave the folder, for further parts")
    parser.add_argument("--database-url")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "database.md")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    try:
        with Database.open(arguments.database_url, arguments.folder, create=True) as database:
            for part in arguments.parts:
                measured = PARTS[part](database, arguments)
                (arguments.folder / f"{part}.json").write_text(json.dumps([asdict(one) for one in measured]))
            text = report(
                arguments.synapses,
                _kept(arguments.folder, ("load", "copy", "blocks"), Load),
                _kept(arguments.folder, ("questions", "refreshes"), Timing),
                settings(database),
                machine(),
            )
    finally:
        EmbeddedServer(arguments.folder / "postgres").stop()
        if not arguments.keep:
            shutil.rmtree(arguments.folder)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text)
    print(text)


def _load(database: Database, arguments: argparse.Namespace) -> list[Load]:
    return [load(database, generate(arguments.synapses))]


def _questions(database: Database, arguments: argparse.Namespace) -> list[Timing]:
    return ask(database, generate(arguments.synapses), get_run(database, RUN).run_id, lasting=False)


def _refreshes(database: Database, arguments: argparse.Namespace) -> list[Timing]:
    return ask(database, generate(arguments.synapses), get_run(database, RUN).run_id, lasting=True)


def _copy(database: Database, arguments: argparse.Namespace) -> list[Load]:
    return [copy_with_psql(database, get_run(database, RUN).run_id, arguments.folder)]


def _blocks(database: Database, arguments: argparse.Namespace) -> list[Load]:
    """As builds write, with psql's copy of the same rows beside it; the big run's rows are no part of either."""
    made = generate(min(BLOCKS, arguments.synapses), seed=2)
    by_block, run_id = load_blocks(database, made)
    by_copy = copy_with_psql(database, run_id, arguments.folder)
    delete_run(database, run_id)
    return [by_block, by_copy]


def _kept(folder: Path, parts: tuple[str, ...], kind: type[Any]) -> list[Any]:
    files = [folder / f"{part}.json" for part in parts]
    return [kind(**values) for file in files if file.exists() for values in json.loads(file.read_text())]


PARTS: dict[str, Callable[[Database, argparse.Namespace], list[Any]]] = {
    "load": _load,
    "questions": _questions,
    "refreshes": _refreshes,
    "copy": _copy,
    "blocks": _blocks,
}

if __name__ == "__main__":
    main()
