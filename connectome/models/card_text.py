"""A model card as Markdown: what a checkpoint says of itself, in sections."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectome.networks.checkpoint import Method, ModelCard

ARCHITECTURES = {
    Method.MASK_PRUNER: "classifier of pairs on the encoder of a residual symmetric U-Net",
    Method.PROXIMITY_PRUNER: "classifier of pairs on the encoder of a residual symmetric U-Net",
}


@dataclass(frozen=True, kw_only=True)
class CardNotes:
    """What people add to a card.

    Attributes:
        notes, limits: paragraphs.
        curve: file name of a picture beside the card, of the losses and metrics over the steps.
        history: the same as rows of text, the names of the columns first.
    """

    notes: Sequence[str] = ()
    limits: Sequence[str] = ()
    curve: str | None = None
    history: Sequence[Sequence[str]] = ()


def card_text(card: ModelCard, parameters: int, added: CardNotes) -> str:
    """The model card.

    Args:
        card: the checkpoint's.
        parameters: how many trained values the network has.
        added: what isn't in the checkpoint.
    """
    training = dict(card.training)
    sources = training.pop("sources", [])
    sections = [
        ("", [*added.notes, _rows("what", "value", _facts(card, parameters))]),
        ("Parameters", [_rows("it is used with", "value", card.parameters.items())] if card.parameters else []),
        ("Data", [_sources(sources)] if sources else []),
        ("Recipe", [_rows("what", "value", training.items())] if training else []),
        ("Curve", _curve(card.name, added)),
        ("Metrics", [_rows("measured", "value", card.metrics.items())] if card.metrics else []),
        ("Limits", list(added.limits)),
    ]
    parts = [f"# {card.name}"]
    for title, paragraphs in sections:
        if paragraphs:
            parts += ([f"## {title}"] if title else []) + paragraphs
    return "\n\n".join(parts) + "\n"


def _facts(card: ModelCard, parameters: int) -> list[tuple[str, Any]]:
    how = card.normalisation
    architecture = ARCHITECTURES.get(card.method, "residual symmetric U-Net")
    return [
        ("role", card.role.value),
        ("method", card.method.value),
        ("architecture", f"{architecture}, widths {list(card.network.widths)}, {parameters:,} parameters"),
        ("resolution (z, y, x)", f"{list(card.resolution_nm)} nm"),
        ("pixels of images", "{:g} to {:g} nm".format(*card.trained_pixel_nm)),
        ("distance of sections", "{:g} to {:g} nm".format(*card.trained_section_nm)),
        ("patch (z, y, x)", f"{list(card.patch_shape)} voxels"),
        (
            "grey values",
            f"10th percentile at {how.low}, 90th at {how.high}; (value / 255 - {how.mean}) / {how.deviation}",
        ),
    ]


def _curve(name: str, added: CardNotes) -> list[str]:
    picture = [f"![Losses and metrics of {name} over the steps]({added.curve})"] if added.curve else []
    if not added.history:
        return picture
    header, *rows = added.history
    return [*picture, _table(header, rows)]


def _sources(sources: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for source in sources for key in source))
    return _table(columns, [[_cell(source.get(key, "")) for key in columns] for source in sources])


def _rows(name: str, value: str, items: Iterable[tuple[str, Any]]) -> str:
    return _table((name, value), [(key, _cell(item)) for key, item in items])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
