"""Where the model of a build's confidence comes from, and where one goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from connectome.errors import CheckpointError, ConfigError
from connectome.files import whole_text
from connectome.models.assigners import ChosenAssigner
from connectome.networks.checkpoint import Checkpoint, save_checkpoint
from connectome.partners.confidence import ConfidenceModel


def choose_confidence(path: Path | None, detector: Checkpoint, assigner: Checkpoint | None) -> ConfidenceModel | None:
    """The model in a file, else what the assigner carries for this detector, else None: raw scores.

    Raises:
        ConfigError: the file isn't one. CheckpointError: what the assigner carries isn't a model.
    """
    if path is not None:
        return read_confidence(path)
    carried = None if assigner is None else assigner.card.confidence.get(detector.weights_sha256)
    if assigner is None or carried is None:
        return None
    try:
        return ConfidenceModel.from_json(carried)
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{assigner.path} carries a model of confidence that this version can't use ({error}): fit a new one with "
            "connectome calibrate"
        ) from error


def read_confidence(path: Path) -> ConfidenceModel:
    """A model from the file that `connectome calibrate` wrote.

    Raises:
        ConfigError: it can't be read, or holds something else.
    """
    try:
        return ConfidenceModel.from_json(json.loads(path.expanduser().read_text()))
    except OSError as error:
        raise ConfigError(f"model of confidence {path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no model of confidence from connectome calibrate ({error})") from error


def write_confidence(model: ConfidenceModel, path: Path) -> None:
    """Write a model as JSON.

    Raises:
        StorageError: it can't be written.
    """
    with whole_text(path) as file:
        file.write(json.dumps(model.to_json(), indent=2) + "\n")


def store_confidence(model: ConfidenceModel, detector: Checkpoint, assigner: ChosenAssigner) -> Path:
    """Put a model into the assigner's own file, for use with this detector; its weights stay as they are.

    Returns:
        The file.

    Raises:
        ConfigError: partners are chosen by contact, not by the network. StorageError: the file can't be written.
    """
    checkpoint = assigner.checkpoint
    if checkpoint is None or assigner.by_contact:
        raise ConfigError(
            f"the assigner {assigner.method} has no file of its own to keep a model of confidence: leave out --store, "
            "and build with --confidence"
        )
    carried = checkpoint.card.confidence | {detector.weights_sha256: model.to_json()}
    save_checkpoint(checkpoint.path, replace(checkpoint.card, confidence=carried), checkpoint.network)
    return checkpoint.path
