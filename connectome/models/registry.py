"""The models that ship, and checkpoints by path: listed, shown with their cards as Markdown, verified."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectome.errors import CheckpointError
from connectome.models.lookup import find_model
from connectome.networks.checkpoint import Method, ModelCard, load_checkpoint, read_card
from connectome.networks.inspection import fingerprint, largest_difference, sha256_of, trained_values
from connectome.weights.manifest import ShippedModel, shipped_models

LARGEST_BYTES = 5_000_000
TOLERANCE = 1e-3
NO_RESULTS = ("loss", "steps")
ARCHITECTURES = {
    Method.MASK_PRUNER: "classifier of pairs on the encoder of a residual symmetric U-Net",
    Method.PROXIMITY_PRUNER: "classifier of pairs on the encoder of a residual symmetric U-Net",
}


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """A model in a list.

    Attributes:
        shipped: whether it is one of those that ship.
        parameters: trained values.
        metric: name of its main metric (the first, where none is said to be it), with `value` as measured; None: it
            carries none.
    """

    name: str
    role: str
    method: str
    shipped: bool
    parameters: int
    resolution_nm: tuple[float, float, float]
    size_bytes: int
    sha256: str
    metric: str | None
    value: Any
    path: Path

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """A model with all that its checkpoint says, and its card as Markdown."""

    summary: ModelSummary
    card: ModelCard
    text: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        card = self.card
        return self.summary.to_json() | {
            "patch_shape": card.patch_shape,
            "network": card.network.to_json(),
            "parameters_used": card.parameters,
            "normalisation": asdict(card.normalisation),
            "training": card.training,
            "metrics": card.metrics,
            "card": self.text,
        }


def list_models(paths: Sequence[Path] = ()) -> list[ModelSummary]:
    """The models that ship, then the checkpoints at the paths; of a folder all *.safetensors in it.

    Raises:
        CheckpointError: a file is missing or is no checkpoint.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.safetensors")) if path.is_dir() else [path])]
    return [_summary(path) for path in [*(model.path for model in shipped_models().values()), *files]]


def describe_model(wanted: str) -> ModelDescription:
    """All about a model by name or path.

    Raises:
        CheckpointError: there is no such model.
    """
    path = find_model(wanted)
    summary, card = _summary(path), read_card(path)
    written = path.with_suffix(".md")
    text = written.read_text() if written.is_file() else card_text(card, summary.parameters, CardNotes())
    return ModelDescription(summary=summary, card=card, text=text)


def verify_model(wanted: str) -> tuple[ModelSummary, float | None]:
    """Check a model by name or path: its file, its card, its weights, its answer to a fixed input.

    Returns:
        The model, and how far its answer is from the recorded one; None where none is recorded.

    Raises:
        CheckpointError: says what is wrong.
    """
    path = find_model(wanted)
    shipped = _shipped(path)
    if shipped is not None:
        _check_file(shipped)
    summary = _summary(path)
    answer = fingerprint(load_checkpoint(path, read_card(path).role))
    if not all(map(math.isfinite, answer)):
        raise CheckpointError(f"{path}: the network's answer to the fixed input isn't a number: train it again")
    if shipped is None:
        return summary, None
    _check_card(shipped, summary)
    difference = largest_difference(answer, shipped.fingerprint)
    if difference > TOLERANCE:
        raise CheckpointError(
            f"model '{shipped.name}' doesn't answer the fixed input as recorded (off by {difference:.2g}, allowed is "
            f"{TOLERANCE:g}): PyTorch computes differently here, or the code of the network has changed"
        )
    return summary, difference


def _check_file(shipped: ShippedModel) -> None:
    again = "install connectome again"
    for file in (shipped.path, shipped.card_path):
        if not file.is_file():
            raise CheckpointError(f"model '{shipped.name}': {file} is missing: {again}")
    found = sha256_of(shipped.path)
    if found != shipped.sha256:
        raise CheckpointError(
            f"model '{shipped.name}': {shipped.path} has the SHA-256 {found[:12]}..., not {shipped.sha256[:12]}... as "
            f"recorded: {again}"
        )


def _check_card(shipped: ShippedModel, summary: ModelSummary) -> None:
    recorded, found = (shipped.name, shipped.method), (summary.name, summary.method)
    if recorded != found:
        raise CheckpointError(f"model '{shipped.name}': its checkpoint is {found}, recorded is {recorded}")
    if summary.size_bytes >= LARGEST_BYTES:
        raise CheckpointError(
            f"model '{shipped.name}' has {summary.size_bytes:,} bytes; less than {LARGEST_BYTES:,} ship"
        )


def _shipped(path: Path) -> ShippedModel | None:
    """The entry of the manifest whose file this is."""
    return next((model for model in shipped_models().values() if model.path.resolve() == path.resolve()), None)


def _summary(path: Path) -> ModelSummary:
    card, shipped = read_card(path), _shipped(path)
    measured = [name for name in card.metrics if name not in NO_RESULTS]
    metric = (shipped.main_metric if shipped is not None else None) or next(iter(measured), None)
    return ModelSummary(
        name=card.name,
        role=card.role.value,
        method=card.method.value,
        shipped=shipped is not None,
        parameters=trained_values(path),
        resolution_nm=card.resolution_nm,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        metric=metric,
        value=card.metrics.get(metric) if metric else None,
        path=path,
    )


@dataclass(frozen=True, kw_only=True)
class CardNotes:
    """The notes that people add to a card.

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
