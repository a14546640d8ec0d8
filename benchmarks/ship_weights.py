"""Make a trained checkpoint one that ships: give it its name, parameters and metrics, and write its model card.

Example:
    python benchmarks/ship_weights.py trained.safetensors connectome/weights/mask.safetensors --name mask \
        --parameter threshold=0.6 --parameter min_size_voxels=100 --metric 'AC3 validation F1=0.9' --note 'text'
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from connectome.networks.checkpoint import ModelCard, load_checkpoint, read_card, save_checkpoint
from connectome.networks.rsunet import parameter_count


def main() -> None:
    """Copy the weights under a new card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--metric", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--training", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--note", action="append", default=[], help="A paragraph of the model card.")
    arguments = parser.parse_args()
    loaded = load_checkpoint(arguments.source, read_card(arguments.source).role)
    card = replace(
        loaded.card,
        name=arguments.name,
        parameters={name: float(value) for name, value in map(split, arguments.parameter)},
        training=loaded.card.training | dict(map(split, arguments.training)),
        metrics=loaded.card.metrics | dict(map(split, arguments.metric)),
    )
    save_checkpoint(arguments.target, card, loaded.network)
    arguments.target.with_suffix(".md").write_text(card_text(card, parameter_count(loaded.network), arguments.note))


def split(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, _, value = text.partition("=")
    return name, value


def card_text(card: ModelCard, parameters: int, notes: list[str]) -> str:
    """The model card as Markdown."""
    rows = {
        "role": card.role.value,
        "architecture": f"residual symmetric U-Net, widths {list(card.network.widths)}, {parameters:,} parameters",
        "resolution (z, y, x)": f"{list(card.resolution_nm)} nm",
        "patch (z, y, x)": f"{list(card.patch_shape)} voxels",
        "grey values": f"(value / largest - {card.normalisation.mean}) / {card.normalisation.deviation}",
        **{f"parameter {name}": f"{value:g}" for name, value in card.parameters.items()},
        **{f"training: {name}": value if isinstance(value, str) else json.dumps(value)
           for name, value in card.training.items()},
        **{f"measured: {name}": value if isinstance(value, str) else f"{value:.4g}"
           for name, value in card.metrics.items()},
    }  # fmt: skip
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"# {card.name}\n\n| | |\n|---|---|\n{table}\n\n" + "\n\n".join(notes) + "\n"


if __name__ == "__main__":
    main()
