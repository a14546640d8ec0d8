"""A trained network at work: made ready for a device, called in batches; what goes in and what its logits mean."""

from __future__ import annotations

import gc
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

from connectome.errors import CheckpointError, DeviceError
from connectome.networks.architecture import ResidualModule, UpModule
from connectome.networks.checkpoint import Method, Network, Normalisation
from connectome.networks.device import Device, give_back_freed_memory

SIGNED_ZERO, SIGNED_SCALE = 128, 127
"""A signed proximity v is kept as 128 + 127 v."""
CALLS_A_TRIM = 16
"""Of a network on the CPU: often enough to bound the memory, seldom enough that its page faults don't count."""

Result = TypeVar("Result")


class FoldedResidual(nn.Module):
    """A trained `ResidualModule` without what only training needs; ELUs overwrite their input.

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
    """A trained `UpModule` without what only training needs."""

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
        conv.kernel_size,  # type: ignore[arg-type]
        padding=conv.padding,  # type: ignore[arg-type]
        bias=True,
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
    ready: nn.Module = deepcopy(network).cpu().eval().requires_grad_(False)
    _fold_children(ready)
    dtype = inference_dtype(device)
    for module in ready.modules():
        if isinstance(module, nn.Conv3d):
            module.to(dtype)
    ready = ready.requires_grad_(False).to(device)
    return ready.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload, no-any-return]


def _fold_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        match child:
            case ResidualModule():
                setattr(module, name, FoldedResidual(child))
            case UpModule():
                setattr(module, name, FoldedUp(child))
            case _:
                _fold_children(child)


def normalised(image: Tensor, how: Normalisation) -> Tensor:
    """Grey values of an unsigned integer dtype -> float32: (value / largest of the dtype - mean) / deviation."""
    largest = torch.iinfo(image.dtype).max
    return (image.float() * (1.0 / largest) - how.mean) * (1.0 / how.deviation)


def detector_output(method: Method, logits: Tensor) -> Tensor:
    """Logits -> the representation: a probability in [0, 1] (mask), or a signed value in [-1, 1].

    The signed ones are tanh(logit / 2), which is 2 sigmoid(logit) - 1: a mask's logits and those of an STDT have one
    scale, and both are 0 at a cleft's border.

    Raises:
        ValueError: the method is none of a detector.
    """
    match method:
        case Method.MASK:
            return torch.sigmoid(logits)
        case Method.STDT | Method.SIGNED_PROXIMITY:
            return torch.tanh(logits / 2)
        case _:
            raise ValueError(f"{method} is no representation of clefts")


def finite(values: Tensor, name: str) -> Tensor:
    """What a network gave, if all of it are numbers.

    Raises:
        CheckpointError: some are NaN or infinite: the network is broken, or its numbers overflow in this precision.
    """
    if not bool(torch.isfinite(values).all()):
        raise CheckpointError(f"the model '{name}' gives NaN or infinite values: it is broken, or overflows here")
    return values


def encoded(method: Method, logits: Tensor) -> Tensor:
    """Logits -> uint8 of the same shape: 255 p (mask), 255 (v + 1) / 2 (STDT), 128 + 127 v (signed proximity).

    Raises:
        ValueError: the method is none of a detector.
    """
    values = detector_output(method, logits.float())
    match method:
        case Method.MASK:
            scaled = values * 255
        case Method.STDT:
            scaled = (values + 1) * 127.5
        case _:
            scaled = values * SIGNED_SCALE + SIGNED_ZERO
    return scaled.round().to(torch.uint8)


def encoded_absence(method: Method) -> int:
    """What `encoded` gives where there is surely no cleft: the lowest logit of a mask or an STDT, no side."""
    return SIGNED_ZERO if method is Method.SIGNED_PROXIMITY else 0


class Batches:
    """Cuts items into batches; a batch that the device's memory can't hold is halved, and so are all after it.

    One thread at a time: a build's threads wait for each other in the pipeline, which counts the wait and can end it.
    """

    def __init__(self, device: Device, largest: int) -> None:
        """Begin with batches of `largest` items."""
        self.device = device
        self.size = largest
        self._calls = 0

    def run(self, count: int, call: Callable[[slice], Result]) -> list[Result]:
        """The results of `call` for consecutive slices of `count` items.

        Raises:
            DeviceError: the memory can't even hold one item.
        """
        results: list[Result] = []
        first = 0
        with torch.inference_mode():
            while first < count:
                stop = min(first + self.size, count)
                try:
                    results.append(call(slice(first, stop)))
                except RuntimeError as error:
                    if not _is_out_of_memory(error):
                        raise
                    if stop - first == 1:
                        raise DeviceError(
                            f"device {self.device} hasn't the memory for one patch: free some of it, or use the CPU"
                        ) from error
                    self.size = (stop - first) // 2
                else:
                    first = stop
                    self._count()
                    continue
                self._release()
        return results

    def _count(self) -> None:
        """Another call is done."""
        self._calls += 1
        if self.device.type == "cpu" and self._calls % CALLS_A_TRIM == 0:
            give_back_freed_memory()

    def _release(self) -> None:
        """Give back what the failed call still held."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
