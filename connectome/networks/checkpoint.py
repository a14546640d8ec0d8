"""Checkpoints: one safetensors file with the weights and, in its header, everything needed to use them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from connectome.errors import CheckpointError, StorageError
from connectome.files import whole_file
from connectome.networks.architecture import NetworkConfig, PairClassifier, PairConfig, RSUNet, forget_answer

LARGEST = 4096
"""Channels of a layer and voxels of a patch's side; a header that says more isn't meant."""
FORMAT = "connectome-checkpoint-2"

Network = RSUNet | PairClassifier


class ModelRole(StrEnum):
    """The role of a model in a build."""

    DETECTOR = "detector"
    ASSIGNER = "assigner"


class Method(StrEnum):
    """The method of a model: the representation of clefts, or the way to assign partners."""

    MASK = "mask"
    STDT = "stdt"
    SIGNED_PROXIMITY = "signed-proximity"
    AVAN = "avan"
    MASK_PRUNER = "mask-pruner"
    PROXIMITY_PRUNER = "proximity-pruner"

    @property
    def role(self) -> ModelRole:
        """The role of models of this method."""
        detects = self in (Method.MASK, Method.STDT, Method.SIGNED_PROXIMITY)
        return ModelRole.DETECTOR if detects else ModelRole.ASSIGNER

    @property
    def judges_pairs(self) -> bool:
        """True if the network answers for ordered pairs of candidates (`PairConfig`), not for voxels."""
        return self in (Method.MASK_PRUNER, Method.PROXIMITY_PRUNER)


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """The form in which grey values enter the network.

    Attributes:
        mean, deviation: grey values in [0, 1] (value / 255) become (value - mean) / deviation.
        low, high: where the training images had their low and high grey value, from 0 to 255 (see
            `connectome.volumes.grey_values`); other images are brought there first.
    """

    mean: float = 0.52
    deviation: float = 0.16
    low: int = 78
    high: int = 182


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The contents of a checkpoint besides its weights.

    Attributes:
        resolution_nm: nm a voxel (z, y, x) that the network was trained at.
        patch_shape: voxels (z, y, x) of a patch: a training patch, and for an assigner what it is shown of a cleft.
        parameters: the values it is to be used with, e.g. `threshold`, `min_size_voxels`.
        training: data, steps, recipe. metrics: what was measured, and on what.
        confidence: of an assigner, models of its synapses' confidence as plain values, by the `weights_sha256` of the
            detector that they were fitted with.
        pixel_nm: smallest and largest pixel of images that were brought to `resolution_nm` for training; None: not
            known, see `trained_pixel_nm`.
        section_nm: smallest and largest distance of sections in training; None: not known.
    """

    name: str
    method: Method
    network: NetworkConfig | PairConfig
    resolution_nm: tuple[float, float, float]
    patch_shape: tuple[int, int, int]
    normalisation: Normalisation = field(default_factory=Normalisation)
    parameters: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, Any] = field(default_factory=dict)
    pixel_nm: tuple[float, float] | None = None
    section_nm: tuple[float, float] | None = None

    @property
    def trained_pixel_nm(self) -> tuple[float, float]:
        """The pixels it is for; where the card says nothing, half to five thirds of its own (6 to 20 nm for 12)."""
        pixel = max(self.resolution_nm[1:])
        return self.pixel_nm or (pixel / 2, pixel * 5 / 3)

    @property
    def trained_section_nm(self) -> tuple[float, float]:
        """The distances of sections it is for; where the card is silent, a sixth around its own (25 to 35 for 30)."""
        section = self.resolution_nm[0]
        return self.section_nm or (section * 5 / 6, section * 7 / 6)

    @property
    def role(self) -> ModelRole:
        """The role of the model."""
        return self.method.role

    def to_json(self) -> str:
        """The header text."""
        values = {**self.__dict__, "network": self.network.to_json(), "normalisation": self.normalisation.__dict__}
        return json.dumps({"format": FORMAT, **values})

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """The inverse of `to_json`.

        Raises:
            ValueError, KeyError, TypeError: the text is no model card of this format.
        """
        values = json.loads(text)
        if values.pop("format") != FORMAT:
            raise ValueError("another checkpoint format")
        values["method"] = Method(values["method"])
        config = PairConfig if values["method"].judges_pairs else NetworkConfig
        values["network"] = config.from_json(values["network"])
        values["normalisation"] = Normalisation(**values["normalisation"])
        values["resolution_nm"] = tuple(values["resolution_nm"])
        values["patch_shape"] = tuple(values["patch_shape"])
        for name in ("pixel_nm", "section_nm"):
            values[name] = tuple(values[name]) if values.get(name) else None
        card = cls(**values)
        _require_sane(card)
        return card


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A loaded model: its card, its network in evaluation mode on the CPU, the checksum of its file."""

    card: ModelCard
    network: Network
    sha256: str
    path: Path

    @cached_property
    def weights_sha256(self) -> str:
        """The checksum of the weights alone, which stays the same when the card changes."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def _require_sane(card: ModelCard) -> None:
    """Refuse what no card can say, whoever wrote it.

    Raises:
        TypeError, ValueError: a value is of another type, or beyond what is meant.
    """
    network = card.network
    channels = [value for name, value in vars(network).items() if name in ("in_channels", "out_channels", "dense")]
    kernels = [value for name, value in vars(network).items() if name.endswith(("kernel", "pooling"))]
    lengths = [value for value in (card.resolution_nm, card.pixel_nm, card.section_nm) if value is not None]
    how = card.normalisation
    sane = (
        isinstance(card.name, str)
        and len(card.resolution_nm) == len(card.patch_shape) == 3
        and all(isinstance(value, dict) for value in (card.parameters, card.training, card.metrics, card.confidence))
        and 1 <= len(network.widths) <= 16
        and _all_within([*channels, *network.widths], 1, LARGEST, whole=True)
        and _all_within(card.patch_shape, 1, LARGEST, whole=True)
        and all(len(kernel) == 3 and _all_within(kernel, 1, 31, whole=True) for kernel in kernels)
        and all(_all_within(sides, 1e-3, 1e6) for sides in lengths)
        and _all_within(card.parameters.values(), -1e12, 1e12)
        and _all_within([how.low, how.high, how.mean, network.norm_momentum], -255, 255)
        and _all_within([how.deviation], 1e-6, 1e6)
    )
    if not sane:
        raise ValueError("a value of the card can't be")


def _all_within(values: Iterable[Any], least: float, most: float, *, whole: bool = False) -> bool:
    """Whether all are numbers, finite, and not beyond two bounds."""
    kinds = int if whole else (int, float)
    return all(isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most for value in values)


def build_network(card: ModelCard) -> Network:
    """The network that a card describes, with weights that aren't set yet."""
    match card.network:
        case NetworkConfig():
            return RSUNet(card.network)
        case PairConfig():
            return PairClassifier(card.network)


def save_checkpoint(path: Path, card: ModelCard, network: Network) -> None:
    """Write a checkpoint; the file appears only once it is whole.

    Raises:
        StorageError: it can't be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"checkpoint {path} can't be written: {error.strerror or error}") from error
    with whole_file(path) as file:
        file.write(save(tensors, metadata={"connectome": card.to_json()}))


def read_card(path: Path) -> ModelCard:
    """The model card of a checkpoint, without its weights.

    Raises:
        CheckpointError: the file is missing or is no checkpoint.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}: the file doesn't exist")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        return ModelCard.from_json(metadata["connectome"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of this program (safetensors with a model card; see connectome train)"
        ) from error


def load_checkpoint(path: Path, role: ModelRole) -> Checkpoint:
    """Load a checkpoint that is to serve as `role`.

    Raises:
        CheckpointError: the file is missing, no checkpoint, of another role, or its weights don't fit its config.
    """
    card = read_card(path)
    if card.role is not role:
        raise CheckpointError(f"{path} is a checkpoint of {card.role} '{card.name}', where one of {role} is needed")
    network = build_network(card)
    try:
        with safe_open(path, framework="pt") as file:
            network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"{path}: the weights don't fit the network that its header describes") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise CheckpointError(f"{path}: weights are NaN or infinite, so nothing it says would mean anything")
    network.eval().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return Checkpoint(card=card, network=network, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), path=path)


def take_over(network: Network, method: Method, start: Checkpoint) -> None:
    """Set the weights of a network that is to serve `method` to those of a checkpoint.

    Between networks of one kind all weights are taken; a detector of another representation begins its last layer anew.
    A pair classifier takes over an association network's encoder: the first convolution's new channels begin at zero,
    so that it sees what the association network saw; its head keeps the weights it has.

    Raises:
        CheckpointError: the widths or the channels differ, or a U-Net is to start from a pair classifier.
    """
    before, widths = start.network, network.config.widths
    if before.config.widths != widths:
        raise CheckpointError(f"{start.path} has widths {before.config.widths}, the recipe {widths}")
    if isinstance(network, PairClassifier) and isinstance(before, RSUNet):
        own = network.state_dict()
        taken = {name: value for name, value in before.state_dict().items() if name.startswith(("first.", "down."))}
        taken["first.weight"] = _widened(taken["first.weight"], own["first.weight"])
        network.load_state_dict(own | taken)
    elif type(network) is type(before) and before.config.in_channels == network.config.in_channels:
        network.load_state_dict(before.state_dict())
        if isinstance(network, RSUNet) and start.card.method is not method:
            forget_answer(network)
    else:
        raise CheckpointError(f"{start.path} is a {start.card.method}: its weights don't fit the network to be trained")


def _widened(weight: Tensor, like: Tensor) -> Tensor:
    """A convolution's weight (out, in, z, y, x) with zeros for the channels in that it lacks."""
    wide = torch.zeros_like(like)
    wide[:, : weight.shape[1]] = weight
    return wide
