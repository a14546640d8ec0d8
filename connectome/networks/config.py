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
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**fields)
