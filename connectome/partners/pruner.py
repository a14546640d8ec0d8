"""The pruners at work: ordered pairs of a cleft's eligible candidates through the pair classifier, batched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from connectome.distances import unsigned_proximity
from connectome.networks.checkpoint import Method, ModelCard, Network
from connectome.networks.inference import Batches, finite, for_inference, inference_dtype, normalised
from connectome.partners.scores import Patch, Scores, candidate_slots

PAIRS_A_CALL = 32
NEAR = 0.01
"""Where a cleft's proximity is below this, a detector's signed proximity belongs to other clefts."""


class PairAssigner:
    """A mask pruner or a proximity pruner ready to run on one device, called by one thread at a time."""

    def __init__(self, card: ModelCard, network: Network, device: torch.device) -> None:
        """Copy the network to `device`, ready for inference."""
        self.card = card
        self.device = device
        self._network = for_inference(network, device)
        self._dtype = inference_dtype(device)
        self._batches = Batches(device, PAIRS_A_CALL)

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """The probability of each ordered pair of candidates that may be chosen; 0 for all others.

        Raises:
            DeviceError: the device's memory can't hold one pair.
        """
        if not patches:
            return []
        counts = [len(patch.segment_id) for patch in patches]
        places = [ordered_pairs(patch.eligible) for patch in patches]
        starts = np.cumsum([0, *(len(place) for place in places)])
        of_patch = np.repeat(np.arange(len(patches)), np.diff(starts))
        pairs = np.concatenate([*places, np.zeros((0, 2), np.int64)])
        views = self._views(patches)
        parts = self._batches.run(len(pairs), lambda part: self._logits(views, of_patch[part], pairs[part]))
        logits = torch.cat(parts).cpu().numpy() if parts else np.zeros(0, np.float32)
        return [
            _scores(logits[a:b], place, count)
            for (a, b), place, count in zip(pairwise(starts), places, counts, strict=True)
        ]

    def _views(self, patches: Sequence[Patch]) -> _Views:
        def on_device(arrays: list[NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.stack(arrays)).to(self.device)

        guessed = self.card.method is Method.PROXIMITY_PRUNER
        return _Views(
            grey=normalised(on_device([patch.image for patch in patches]), self.card.normalisation),
            cleft=on_device([self._cleft(patch) for patch in patches]),
            slots=on_device([candidate_slots(patch).astype(np.int32) for patch in patches]),
            guessed=torch.tensor([guessed and patch.proximity is None for patch in patches], device=self.device),
        )

    def _cleft(self, patch: Patch) -> NDArray[np.float32]:
        """The cleft channel (z, y, x): its mask, the detector's signed proximity, or one that has no sign yet."""
        if self.card.method is Method.MASK_PRUNER:
            return patch.mask.astype(np.float32)
        near = unsigned_proximity(patch.mask, self.card.resolution_nm)
        return near if patch.proximity is None else np.where(near > NEAR, patch.proximity, 0).astype(np.float32)

    def _logits(self, views: _Views, of_patch: NDArray[np.int64], pairs: NDArray[np.int64]) -> Tensor:
        """Float32 (n,): the network's logits for pairs (n, 2) of the patches `of_patch` (n,)."""
        index = torch.from_numpy(of_patch).to(self.device)
        places = torch.from_numpy(pairs).to(self.device)
        own = views.slots[index]
        first, second = ((own == places[:, role, None, None, None]).float() for role in range(2))
        cleft = views.cleft[index]
        guessed = views.guessed[index, None, None, None]
        cleft = torch.where(guessed, cleft * (first - second), cleft)
        inputs = torch.stack([views.grey[index], cleft, first, second], 1)
        ready = inputs.to(self._dtype).contiguous(memory_format=torch.channels_last_3d)
        logits: Tensor = self._network(ready)
        return finite(logits[:, 0], self.card.name)


@dataclass(frozen=True, kw_only=True)
class _Views:
    """Patches on the device: grey values, the cleft channel and the candidates' places, all (n, z, y, x).

    Attributes:
        guessed: boolean (n,), where the cleft channel gets its sign from the pair under test.
    """

    grey: Tensor
    cleft: Tensor
    slots: Tensor
    guessed: Tensor


def ordered_pairs(eligible: NDArray[np.bool_]) -> NDArray[np.int64]:
    """All ordered pairs of different eligible candidates, as positions: int64 (m, 2)."""
    both = eligible[:, None] & eligible[None, :] & ~np.eye(len(eligible), dtype=bool)
    return np.argwhere(both).astype(np.int64).reshape(-1, 2)


def _scores(logits: NDArray[np.float32], pairs: NDArray[np.int64], count: int) -> Scores:
    """From the logits (m,) of pairs (m, 2); in double precision, where certain pairs still differ."""
    matrix = np.zeros((count, count))
    matrix[pairs[:, 0], pairs[:, 1]] = expit(logits.astype(np.float64))
    return Scores.of_pairs(matrix)
