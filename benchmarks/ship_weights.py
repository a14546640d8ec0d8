"""Make a trained checkpoint one that ships: its name, parameters and metrics, its model card, its row in the manifest.

    python benchmarks/ship_weights.py trained.safetensors --name mask --parameter threshold=0.6 \
        --parameter min_size_voxels=100 --metric 'edge F1, validation=0.9' --main-metric 'edge F1, validation' \
        --curve trained.png --history trained.csv --note 'What it finds.' --limit 'Where it fails.'

Values that read as numbers are stored as numbers. A checkpoint that lies where it ships already, with nothing changed
in it, keeps its bytes: that writes its card anew. Without a checkpoint the manifest alone is written, for the files
that lie in the folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectome.models.registry import CardNotes, card_text
from connectome.networks.checkpoint import ModelCard, load_checkpoint, read_card, save_checkpoint
from connectome.networks.inspection import fingerprint, sha256_of, trained_values
from connectome.weights.manifest import MANIFEST, ShippedModel, shipped_models, weights_folder, write_manifest

ROWS_OF_HISTORY = 12


def main() -> None:
    """Write the weights under a new card, the card as Markdown, and the manifest."""
    arguments = parse()
    folder: Path = arguments.folder
    known = shipped_models(folder) if (folder / MANIFEST).exists() else {}
    metrics = {name: model.main_metric for name, model in known.items()}
    if arguments.source is not None:
        ship(arguments, folder)
    if arguments.name is not None:
        metrics[arguments.name] = arguments.main_metric
    names = sorted(path.stem for path in folder.glob("*.safetensors"))
    write_manifest([entry(folder, name, metrics.get(name)) for name in names], folder)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", help="the trained checkpoint")
    parser.add_argument("--name", help="how users call it: the method's name for the one that is to be used")
    parser.add_argument("--folder", type=Path, default=weights_folder(), help="where the weights go")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--metric", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--main-metric", metavar="NAME", help="the metric that `connectome models list` shows")
    parser.add_argument("--training", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--curve", type=Path, help="PNG of losses and metrics over the steps")
    parser.add_argument("--history", type=Path, help="the same as CSV")
    parser.add_argument("--note", action="append", default=[], help="a paragraph: what it does, how it came about")
    parser.add_argument("--limit", action="append", default=[], help="a paragraph: where it fails")
    arguments = parser.parse_args()
    if arguments.source is not None and arguments.name is None:
        parser.error("--name is needed")
    return arguments


def ship(arguments: argparse.Namespace, folder: Path) -> None:
    """Write NAME.safetensors, NAME.md and NAME.png."""
    loaded = load_checkpoint(arguments.source, read_card(arguments.source).role)
    card = replace(
        loaded.card,
        name=arguments.name,
        parameters=loaded.card.parameters | {key: float(value) for key, value in map(split, arguments.parameter)},
        training=loaded.card.training | pairs(arguments.training),
        metrics=loaded.card.metrics | pairs(arguments.metric),
    )
    if arguments.main_metric is not None and arguments.main_metric not in card.metrics:
        raise SystemExit(f"--main-metric {arguments.main_metric}: the card has {', '.join(card.metrics)}")
    target = folder / f"{arguments.name}.safetensors"
    if card != loaded.card or target.resolve() != arguments.source.resolve():
        save_checkpoint(target, card, loaded.network)
    write_card(arguments, card, target)


def write_card(arguments: argparse.Namespace, card: ModelCard, target: Path) -> None:
    """Write the card as Markdown beside the weights, and the picture that it shows."""
    if arguments.curve is not None:
        shutil.copyfile(arguments.curve, target.with_suffix(".png"))
    added = CardNotes(
        notes=arguments.note,
        limits=arguments.limit,
        curve=target.with_suffix(".png").name if arguments.curve is not None else None,
        history=[] if arguments.history is None else history(arguments.history),
    )
    target.with_suffix(".md").write_text(card_text(card, trained_values(target), added))


def entry(folder: Path, name: str, main_metric: str | None) -> ShippedModel:
    """The manifest's entry of a file."""
    path = folder / f"{name}.safetensors"
    card = read_card(path)
    answer = fingerprint(load_checkpoint(path, card.role))
    return ShippedModel(
        folder=folder,
        name=name,
        method=card.method.value,
        sha256=sha256_of(path),
        main_metric=main_metric,
        fingerprint=answer,
    )


def history(path: Path) -> list[list[str]]:
    """The header and a dozen rows of a training's CSV, evenly spaced, the last among them."""
    header, *rows = list(csv.reader(path.open()))
    step = max(len(rows) / ROWS_OF_HISTORY, 1)
    chosen = sorted({round((i + 1) * step) - 1 for i in range(min(ROWS_OF_HISTORY, len(rows)))})
    return [header, *(rows[i] for i in chosen)]


def pairs(texts: list[str]) -> dict[str, Any]:
    """NAME=VALUE texts; values that are JSON as what they stand for."""
    return {name: value_of(text) for name, text in map(split, texts)}


def value_of(text: str) -> Any:
    """The value of a text: a number, a list, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def split(text: str) -> tuple[str, str]:
    """NAME=VALUE; the name may hold further equals signs."""
    name, equals, value = text.rpartition("=")
    if not equals:
        raise SystemExit(f"'{text}' isn't NAME=VALUE")
    return name, value


if __name__ == "__main__":
    main()
