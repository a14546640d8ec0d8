"""The pair classifier: image, cleft and two candidates in, one logit out; what both pruners are."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from connectome.networks.config import PairConfig
from connectome.networks.rsunet import ResidualModule, convolution


class PairClassifier(nn.Module):
    """The U-Net's encoder with a head: says whether an ordered pair of segments are a cleft's pre and post.

    Its `first` and `down` have the shapes of an association network's of the same widths, so that a classifier can
    begin with that network's weights (see `networks.starting`).
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
            return self.last(elu(self.hidden(x)))
