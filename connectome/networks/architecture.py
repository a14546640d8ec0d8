"""The networks: a Residual Symmetric U-Net for clefts and for the AVAN, and the pair classifier of the pruners."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

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
        """The number (z, y, x) that every patch side must be a multiple of."""
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
        """The number (z, y, x) that every patch side must be a multiple of."""
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


def convolution(channels_in: int, channels_out: int, kernel: Kernel, *, bias: bool = False) -> nn.Conv3d:
    """A convolution that keeps the shape (zero padding)."""
    padding = tuple(k // 2 for k in kernel)
    return nn.Conv3d(channels_in, channels_out, kernel, padding=padding, bias=bias)  # type: ignore[arg-type]


class ResidualModule(nn.Module):
    """conv-BN-ELU (kept as the skip), conv-BN-ELU, conv, add the skip, BN, ELU; the first convolution is in-plane."""

    def __init__(self, channels_in: int, channels_out: int, kernel: Kernel, momentum: float) -> None:
        super().__init__()
        self.conv1 = convolution(channels_in, channels_out, (1, kernel[1], kernel[2]))
        self.norm1 = nn.BatchNorm3d(channels_out, momentum=momentum)
        self.conv2 = convolution(channels_out, channels_out, kernel)
        self.norm2 = nn.BatchNorm3d(channels_out, momentum=momentum)
        self.conv3 = convolution(channels_out, channels_out, kernel)
        self.norm3 = nn.BatchNorm3d(channels_out, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c_in, z, y, x) -> (n, c_out, z, y, x)."""
        skip = elu(self.norm1(self.conv1(x)))
        x = elu(self.norm2(self.conv2(skip)))
        return elu(self.norm3(self.conv3(x) + skip))


class UpModule(nn.Module):
    """Resize convolution (nearest neighbour, then convolution; Odena et al. 2016), SUM with the skip, BN, ELU."""

    def __init__(self, channels_in: int, channels_out: int, pooling: Kernel, momentum: float) -> None:
        super().__init__()
        self.scale = tuple(float(p) for p in pooling)
        self.conv = convolution(channels_in, channels_out, (1, 3, 3))
        self.norm = nn.BatchNorm3d(channels_out, momentum=momentum)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(n, c_in, z, y, x) and the skip (n, c_out, z*pz, y*py, x*px) -> the skip's shape."""
        x = interpolate(x, scale_factor=self.scale, mode="nearest")
        return elu(self.norm(self.conv(x) + skip))


class RSUNet(nn.Module):
    """Residual Symmetric U-Net with anisotropic pooling; gives logits."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths, momentum = config.widths, config.norm_momentum
        kernels = [config.top_kernel] + [config.kernel] * (len(widths) - 1)
        ends = list(zip(widths[1:], widths[:-1], strict=True))
        self.first = convolution(config.in_channels, widths[0], config.end_kernel, bias=True)
        self.down = nn.ModuleList(
            ResidualModule(widths[max(level - 1, 0)], width, kernels[level], momentum)
            for level, width in enumerate(widths)
        )
        self.pool = nn.MaxPool3d(config.pooling)
        self.up = nn.ModuleList(UpModule(low, high, config.pooling, momentum) for low, high in ends)
        self.merge = nn.ModuleList(
            ResidualModule(width, width, kernels[level], momentum) for level, width in enumerate(widths[:-1])
        )
        self.last = convolution(widths[0], config.out_channels, config.end_kernel, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_channels, z, y, x) -> logits (n, out_channels, z, y, x); sides are multiples of `config.multiple`."""
        x = self.first(x)
        skips = []
        for level, module in enumerate(self.down):
            if level:
                skips.append(x)
                x = self.pool(x)
            x = module(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](x, skips.pop())  # nothing holds a skip any longer than that
            x = self.merge[level](x)
        logits: Tensor = self.last(x)
        return logits


def initialise(network: nn.Module, seed: int) -> None:
    """Kaiming-normal weights (He et al. 2015) from a seed, zero biases."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def forget_answer(network: RSUNet) -> None:
    """Begin the last convolution anew, at logits of 0: the rest of the network then learns to answer something else."""
    nn.init.zeros_(network.last.weight)
    if network.last.bias is not None:
        nn.init.zeros_(network.last.bias)


class PairClassifier(nn.Module):
    """The U-Net's encoder with a head: says whether an ordered pair of segments are a cleft's pre and post.

    Its `first` and `down` have the shapes of an association network's of the same widths, so that a classifier can
    begin with that network's weights (see `checkpoint.take_over`).
    """

    def __init__(self, config: PairConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        kernels = [config.top_kernel] + [config.kernel] * (len(widths) - 1)
        self.first = convolution(config.in_channels, widths[0], config.end_kernel, bias=True)
        self.first_pool = nn.MaxPool3d(config.first_pooling)
        self.down = nn.ModuleList(
            ResidualModule(widths[max(level - 1, 0)], width, kernels[level], config.norm_momentum)
            for level, width in enumerate(widths)
        )
        self.pool = nn.MaxPool3d(config.pooling)
        self.hidden = nn.Linear(2 * widths[-1], config.dense)
        self.last = nn.Linear(config.dense, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_channels, z, y, x) -> logits (n, 1); sides are multiples of `config.multiple`."""
        x = self.first_pool(self.first(x))
        for level, module in enumerate(self.down):
            x = module(self.pool(x) if level else x)
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 has three digits: pairs would score the same
            x = x.float()
            x = torch.cat([x.mean((2, 3, 4)), x.amax((2, 3, 4))], 1)  # (n, 2 * widths[-1])
            logit: Tensor = self.last(elu(self.hidden(x)))
            return logit
