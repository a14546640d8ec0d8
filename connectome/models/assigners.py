"""The choice of partners in a build, by a network or by contact alone, and the model of confidence beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import CheckpointError, ConfigError
from connectome.files import whole_text
from connectome.geometry import NmTriple, Triple, Vector
from connectome.models.lookup import load_model
from connectome.networks.checkpoint import (
    Checkpoint,
    Method,
    ModelCard,
    ModelRole,
    Network,
    Normalisation,
    save_checkpoint,
)
from connectome.networks.device import Device
from connectome.partners.assignment import NEAREST_PARAMETERS
from connectome.partners.avan import AvanAssigner
from connectome.partners.confidence import ConfidenceModel
from connectome.partners.nearest import SideAssigner, UndirectedAssigner
from connectome.partners.pruner import PairAssigner
from connectome.partners.scores import Assigner

NEAREST = "nearest"
PATCH_NM: NmTriple = (540.0, 960.0, 960.0)
"""What is looked at around a cleft where no network says it: as much as the shipped ones see."""


@dataclass(frozen=True, kw_only=True)
class ChosenAssigner:
    """The assigner of a build.

    Attributes:
        checkpoint: the network that scores candidates; None: none does.
        by_contact: whether only the segments with the largest contact may be chosen; the network, if there is one,
            then only tells pre from post.
    """

    checkpoint: Checkpoint | None
    by_contact: bool = False

    @property
    def method(self) -> str:
        """The word that users know it by: nearest, or the network's method."""
        return NEAREST if self.by_contact or self.checkpoint is None else self.checkpoint.card.method.value

    @property
    def parameters(self) -> Mapping[str, float]:
        """The parameters recommended for it."""
        own = {} if self.checkpoint is None else self.checkpoint.card.parameters
        return own | NEAREST_PARAMETERS if self.by_contact else own

    @property
    def normalisation(self) -> Normalisation:
        """The grey values that the network is used to."""
        return Normalisation() if self.checkpoint is None else self.checkpoint.card.normalisation

    def patch_shape(self, resolution_nm: NmTriple) -> Triple:
        """Voxels (z, y, x) that are looked at around a cleft."""
        if self.checkpoint is not None:
            return self.checkpoint.card.patch_shape
        return (Vector(PATCH_NM) / resolution_nm).ceil()

    def direction(self, detector: Method | None) -> str:
        """The method that tells pre from post: a method, or unknown.

        Args:
            detector: how the detector represents clefts; None: there is none.
        """
        if self.checkpoint is not None:
            return self.checkpoint.card.method.value
        return Method.SIGNED_PROXIMITY.value if detector is Method.SIGNED_PROXIMITY else "unknown"

    def open(self, device: Device, resolution_nm: NmTriple, detector: Method | None) -> Assigner:
        """Ready to score candidates in patches of a resolution; `detector`: see `direction`."""
        if self.checkpoint is not None:
            return open_assigner(self.checkpoint.card, self.checkpoint.network, device)
        signed = self.direction(detector) == Method.SIGNED_PROXIMITY.value
        return SideAssigner(resolution_nm) if signed else UndirectedAssigner()


def open_assigner(card: ModelCard, network: Network, device: Device) -> Assigner:
    """An assigner of the card's method that runs `network` on `device`.

    Raises:
        ValueError: the card is a detector's.
    """
    match card.method:
        case Method.AVAN:
            return AvanAssigner(card, network, device)
        case Method.MASK_PRUNER | Method.PROXIMITY_PRUNER:
            return PairAssigner(card, network, device)
        case _:
            raise ValueError(f"{card.method} assigns no partners")


def choose_assigner(wanted: str | None, direction: str | None) -> ChosenAssigner:
    """The assigner of a request.

    Args:
        wanted: `nearest`, the name of a model, or the path of a checkpoint; None: the default model.
        direction: for `nearest`, the model that tells pre from post; None: none does.

    Raises:
        ConfigError: a direction for anything but `nearest`. CheckpointError: no such model.
    """
    if wanted != NEAREST:
        if direction is not None:
            raise ConfigError(f"direction '{direction}' is for the assigner nearest alone; others find it themselves")
        return ChosenAssigner(checkpoint=load_model(ModelRole.ASSIGNER, wanted))
    model = None if direction is None else load_model(ModelRole.ASSIGNER, direction)
    return ChosenAssigner(checkpoint=model, by_contact=True)


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
            f"the assigner {assigner.method} has no file of its own to keep a model of confidence",
            about="store",
        )
    carried = checkpoint.card.confidence | {detector.weights_sha256: model.to_json()}
    save_checkpoint(checkpoint.path, replace(checkpoint.card, confidence=carried), checkpoint.network)
    return checkpoint.path
