"""Networks made ready for inference."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from connectome.networks.architecture import NetworkConfig, PairClassifier, PairConfig, RSUNet, initialise
from connectome.networks.checkpoint import Network
from connectome.networks.inference import for_inference, inference_dtype

CPU = torch.device("cpu")
UNET = RSUNet(NetworkConfig(in_channels=2, out_channels=2, widths=(4, 6, 8)))
PAIR = PairClassifier(PairConfig(widths=(4, 6, 8)))


def trained(network: Network) -> Network:
    """With weights and running statistics that aren't trivial."""
    initialise(network, 3)
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.2
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
            nn.init.uniform_(module.weight, -1.5, 1.5, generator=generator)
            nn.init.uniform_(module.bias, -0.5, 0.5, generator=generator)
    return network.eval()


@pytest.mark.parametrize("network", [UNET, PAIR], ids=["unet", "pair"])
def test_folded_networks_answer_like_the_trained_ones(network: Network) -> None:
    network = trained(network)
    x = torch.randn(2, network.config.in_channels, 4, 16, 24, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = network(x)
        ready = for_inference(network, CPU).float()
        assert torch.allclose(ready(x), wanted, rtol=0.02, atol=0.02 * float(wanted.abs().max()))


def test_folding_leaves_norms_after_sums_alone_and_the_network_as_it_was() -> None:
    network = trained(UNET)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    ready = for_inference(network, CPU)
    norms = {name.split(".")[-1] for name, module in ready.named_modules() if isinstance(module, nn.BatchNorm3d)}
    assert norms == {"norm3", "norm"}
    convolutions = [module for module in ready.modules() if isinstance(module, nn.Conv3d)]
    assert {module.weight.dtype for module in convolutions} == {inference_dtype(CPU)}
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_dense_layers_of_a_pair_classifier_stay_in_full_precision() -> None:
    ready = for_inference(PAIR, CPU)
    assert {module.weight.dtype for module in ready.modules() if isinstance(module, nn.Linear)} == {torch.float32}
