"""Tasks that networks are trained for, one a method, and the only place where training tells methods apart."""

from __future__ import annotations

from dataclasses import dataclass

from connectome.networks.architecture import NetworkConfig, PairConfig
from connectome.networks.checkpoint import Method
from connectome.training.loop import Loss
from connectome.training.losses import assigner_loss, detector_loss, pruner_loss, signed_proximity_loss, stdt_loss
from connectome.training.recipe import Recipe
from connectome.training.samples.batches import SampleMaker
from connectome.training.samples.detector_targets import signed_proximity_sample, stdt_sample
from connectome.training.samples.pruner_samples import mask_pruner_sample, proximity_pruner_sample
from connectome.training.samples.voxel_samples import assigner_sample, detector_sample
from connectome.training.validation import (
    ASSIGNER_METRICS,
    DETECTOR_METRICS,
    Validate,
    assignment_validation,
    detector_validation,
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """The training of one method's network.

    Attributes:
        network: what the network looks like.
        make: draws one sample of a data source.
        loss: of the network's output for a batch.
        validate: metrics of the averaged network on held-out data; its keys go into the model card.
        decides: the metrics by which the best weights are kept, the most important first; all in [0, 1].
        learns_partners: whether samples say which segments are a cleft's partners.
        sees_decoys: whether samples may show decoys.
    """

    network: NetworkConfig | PairConfig
    make: SampleMaker
    loss: Loss
    validate: Validate
    decides: tuple[str, ...]
    learns_partners: bool
    sees_decoys: bool = True


def task_of(method: Method, recipe: Recipe) -> Task:
    """The task of a method with what its recipe says about the loss."""
    match method:
        case Method.MASK:
            return Task(
                network=_voxelwise(1, 1, recipe),
                make=detector_sample,
                loss=detector_loss(recipe.positive_weight),
                validate=detector_validation(method),
                decides=DETECTOR_METRICS,
                learns_partners=False,
            )
        case Method.STDT:
            return Task(
                network=_voxelwise(1, 1, recipe),
                make=stdt_sample,
                loss=stdt_loss,
                validate=detector_validation(method),
                decides=DETECTOR_METRICS,
                learns_partners=False,
            )
        case Method.SIGNED_PROXIMITY:
            return Task(
                network=_voxelwise(1, 1, recipe),
                make=signed_proximity_sample,
                loss=signed_proximity_loss,
                validate=detector_validation(method),
                decides=DETECTOR_METRICS,
                learns_partners=True,
            )
        case Method.AVAN:
            return Task(
                network=_voxelwise(2, 2, recipe),
                make=assigner_sample,
                loss=assigner_loss,
                validate=assignment_validation(method, recipe.parameters),
                decides=ASSIGNER_METRICS,
                learns_partners=True,
            )
        case Method.MASK_PRUNER | Method.PROXIMITY_PRUNER:
            return Task(
                network=PairConfig(widths=recipe.widths, norm_momentum=recipe.norm_momentum),
                make=mask_pruner_sample if method is Method.MASK_PRUNER else proximity_pruner_sample,
                loss=pruner_loss,
                sees_decoys=False,
                validate=assignment_validation(method, recipe.parameters),
                decides=ASSIGNER_METRICS,
                learns_partners=True,
            )


def _voxelwise(in_channels: int, out_channels: int, recipe: Recipe) -> NetworkConfig:
    return NetworkConfig(
        in_channels=in_channels, out_channels=out_channels, widths=recipe.widths, norm_momentum=recipe.norm_momentum
    )
