"""The Residual Symmetric U-Net: one architecture for the cleft detector and the AVAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

from connectome.networks.config import Kernel, NetworkConfig


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
        return self.last(x)


def parameter_count(network: nn.Module) -> int:
    """The number of trained values."""
    return sum(parameter.numel() for parameter in network.parameters())


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
