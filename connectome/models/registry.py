"""The models that ship, and checkpoints by path: listed, shown, verified."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectome.errors import CheckpointError
from connectome.models.card_text import CardNotes, card_text
from connectome.models.lookup import find_model
from connectome.networks.checkpoint import ModelCard, load_checkpoint, read_card
from connectome.networks.inspection import fingerprint, largest_difference, sha256_of, trained_values
from connectome.weights.manifest import ShippedModel, shipped_models

LARGEST_BYTES = 5_000_000
TOLERANCE = 1e-3
NO_RESULTS = ("loss", "steps")


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


@dataclass(frozen=True, kw_only=True)
class VerifiedModel:
    """A model that passed; `difference` is its fingerprint's from the recorded one, None where none is recorded."""

    summary: ModelSummary
    difference: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return self.summary.to_json() | {"verified": True, "difference": self.difference}


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


def verify_model(wanted: str) -> VerifiedModel:
    """Check a model by name or path: its file, its card, its weights, its answer to a fixed input.

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
        return VerifiedModel(summary=summary, difference=None)
    _check_card(shipped, summary)
    difference = largest_difference(answer, shipped.fingerprint)
    if difference > TOLERANCE:
        raise CheckpointError(
            f"model '{shipped.name}' doesn't answer the fixed input as recorded (off by {difference:.2g}, allowed is "
            f"{TOLERANCE:g}): PyTorch computes differently here, or the code of the network has changed"
        )
    return VerifiedModel(summary=summary, difference=difference)


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
