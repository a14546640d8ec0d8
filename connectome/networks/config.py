"""What a network looks like: everything needed to build it again from a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Kernel = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """A Residual Symmetric U-Net (Lee et al. 2017, in the variant of Turner et al.'s association network).

    Attributes:
        in_channels: 1 for a detector (image), 2 for an AVAN (image, cleft mask).
        out_channels: logits a voxel: 1 for a cleft mask, 2 (pre, post) for an AVAN.
        widths: channels of each level, top first. The paper's are 28, 36, 48, 90; multiples of 16 run 2 to 3 times
            faster on CPUs and tensor cores.
        pooling: downsampling between levels (z, y, x); sections are never pooled across.
        top_kernel, kernel: convolutions at the top level and below it.
        end_kernel: the first and the last convolution.
        norm_momentum: of the batch norms' running statistics while training.
    """

    in_channels: int
    out_channels: int
    widths: tuple[int, ...] = (28, 36, 48, 90)
    pooling: Kernel = (1, 2, 2)
    top_kernel: Kernel = (1, 3, 3)
    kernel: Kernel = (3, 3, 3)
    end_kernel: Kernel = (1, 5, 5)
    norm_momentum: float = 0.001

    @property
    def multiple(self) -> Kernel:
        """What every patch side (z, y, x) must be a multiple of."""
        z, y, x = (p ** (len(self.widths) - 1) for p in self.pooling)
        return z, y, x

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint's header."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> NetworkConfig:
        """The inverse of `to_json`.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**_with_tuples(values))


@dataclass(frozen=True, kw_only=True)
class PairConfig:
    """A classifier of one ordered pair of candidates: the encoder of the U-Net, global pooling, dense layers.

    Attributes:
        in_channels: image, cleft (its mask or its signed proximity), first mask, second mask.
        widths: channels of each level, top first.
        first_pooling: downsampling (z, y, x) after the first convolution, before the first level.
        pooling: downsampling between levels; sections are never pooled across.
        top_kernel, kernel, end_kernel, norm_momentum: as in `NetworkConfig`; `end_kernel` is the first convolution's.
        dense: hidden values between the pooled features and the logit.
    """

    in_channels: int = 4
    widths: tuple[int, ...] = (16, 32, 64, 80)
    first_pooling: Kernel = (1, 2, 2)
    pooling: Kernel = (1, 2, 2)
    top_kernel: Kernel = (1, 3, 3)
    kernel: Kernel = (3, 3, 3)
    end_kernel: Kernel = (1, 5, 5)
    norm_momentum: float = 0.001
    dense: int = 64

    @property
    def multiple(self) -> Kernel:
        """What every patch side (z, y, x) must be a multiple of."""
        z, y, x = (f * p ** (len(self.widths) - 1) for f, p in zip(self.first_pooling, self.pooling, strict=True))
        return z, y, x

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint's header."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PairConfig:
        """The inverse of `to_json`.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**_with_tuples(values))


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
