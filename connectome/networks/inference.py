"""A trained network made ready to answer: batch norms folded into the convolutions, half the bytes."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

from connectome.networks.checkpoint import Network
from connectome.networks.device import Device
from connectome.networks.rsunet import ResidualModule, UpModule


class FoldedResidual(nn.Module):
    """What a `ResidualModule` computes once it is trained; ELUs overwrite their input.

    The last norm stays: it comes after the sum, and scaling the skip instead costs more than the norm does.
    """

    def __init__(self, module: ResidualModule) -> None:
        super().__init__()
        self.conv1 = folded(module.conv1, module.norm1)
        self.conv2 = folded(module.conv2, module.norm2)
        self.conv3 = module.conv3
        self.norm3 = module.norm3

    def forward(self, x: Tensor) -> Tensor:
        """(n, c_in, z, y, x) -> (n, c_out, z, y, x)."""
        skip = elu(self.conv1(x), inplace=True)
        x = elu(self.conv2(skip), inplace=True)
        return elu(self.norm3(self.conv3(x).add_(skip)), inplace=True)


class FoldedUp(nn.Module):
    """What an `UpModule` computes once it is trained."""

    def __init__(self, module: UpModule) -> None:
        super().__init__()
        self.scale = module.scale
        self.conv = module.conv
        self.norm = module.norm

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(n, c_in, z, y, x) and the skip (n, c_out, z*pz, y*py, x*px) -> the skip's shape."""
        x = interpolate(x, scale_factor=self.scale, mode="nearest")
        return elu(self.norm(self.conv(x).add_(skip)), inplace=True)


def folded(conv: nn.Conv3d, norm: nn.BatchNorm3d) -> nn.Conv3d:
    """The convolution followed by the batch norm's running statistics as one convolution, in double precision."""
    scale, shift = _affine(norm)
    out = nn.Conv3d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        padding=conv.padding,
        bias=True,  # type: ignore[arg-type]
    )
    with torch.no_grad():
        out.weight.copy_(conv.weight.double() * scale[:, None, None, None, None])
        bias = 0 if conv.bias is None else conv.bias.double()
        assert out.bias is not None
        out.bias.copy_(bias * scale + shift)
    return out


def _affine(norm: nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """A trained batch norm as y = scale x + shift, float64 (c,) each."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return scale, norm.bias.detach().double() - norm.running_mean.double() * scale


def inference_dtype(device: Device) -> torch.dtype:
    """bfloat16 where the device computes in it, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def for_inference(network: Network, device: Device) -> nn.Module:
    """A copy of a network in evaluation mode for `device`: folded, channels last, in `inference_dtype`.

    It takes inputs of that dtype and gives the logits that the network gives in evaluation mode, up to rounding. Dense
    layers and the norms that stay have their values in float32.
    """
    ready = deepcopy(network).cpu().eval().requires_grad_(False)
    _fold_children(ready)
    dtype = inference_dtype(device)
    for module in ready.modules():
        if isinstance(module, nn.Conv3d):
            module.to(dtype)
    return ready.requires_grad_(False).to(device).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


def _fold_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        match child:
            case ResidualModule():
                setattr(module, name, FoldedResidual(child))
            case UpModule():
                setattr(module, name, FoldedUp(child))
            case _:
                _fold_children(child)
