"""The Residual Symmetric U-Net."""

from __future__ import annotations

import pytest
import torch

from connectome.networks.architecture import NetworkConfig, RSUNet, initialise

SMALL = NetworkConfig(in_channels=2, out_channels=2, widths=(4, 6, 8))


@pytest.mark.parametrize("shape", [(1, 2, 3, 8, 8), (2, 2, 18, 16, 12)])
def test_the_output_has_the_shape_of_the_input(shape: tuple[int, ...]) -> None:
    output = RSUNet(SMALL).eval()(torch.zeros(shape))
    assert output.shape == (shape[0], 2, *shape[2:])


def test_the_papers_widths_give_about_a_million_parameters() -> None:
    network = RSUNet(NetworkConfig(in_channels=2, out_channels=2))
    assert 0.9e6 < sum(values.numel() for values in network.parameters()) < 1.3e6


def test_sections_are_never_pooled_across() -> None:
    assert SMALL.multiple == (1, 4, 4)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, second, other = RSUNet(SMALL), RSUNet(SMALL), RSUNet(SMALL)
    initialise(first, 1)
    initialise(second, 1)
    initialise(other, 2)
    image = torch.randn((1, 2, 3, 8, 8))
    first.eval(), second.eval(), other.eval()
    assert torch.equal(first(image), second(image))
    assert not torch.allclose(first(image), other(image))


def test_an_output_far_away_does_not_see_a_voxel_but_a_near_one_does() -> None:
    network = RSUNet(SMALL)
    initialise(network, 0)
    network.eval()
    image = torch.zeros((1, 2, 3, 128, 128))
    changed = image.clone()
    changed[0, 0, 1, 0, 0] = 1
    difference = (network(changed) - network(image)).abs().amax((0, 1, 2))
    assert difference[:4, :4].max() > 0
    assert difference[100:, 100:].max() == 0
