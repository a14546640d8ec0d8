"""Training a detector or an assigner from a recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from connectome.errors import ConfigError, TrainingDataError
from connectome.networks.checkpoint import (
    Method,
    ModelCard,
    Network,
    Normalisation,
    build_network,
    load_checkpoint,
    save_checkpoint,
)
from connectome.networks.device import choose_device
from connectome.networks.rsunet import initialise
from connectome.networks.starting import take_over
from connectome.records import NoProgress, Progress
from connectome.training.augment import Augmentation
from connectome.training.batches import BatchPlan, batches
from connectome.training.dataset import Dataset, check_apart
from connectome.training.loop import Schedule, Trainer
from connectome.training.recipe import Recipe
from connectome.training.samples import SampleShape
from connectome.training.task import Task, task_of


def train(method: Method, recipe: Recipe, progress: Progress | None = None) -> ModelCard:
    """Train and save a checkpoint; it is also saved every `recipe.save_every` steps.

    Args:
        method: what the network is to answer, see `training.task`.
        recipe: data, network and schedule.
        progress: where to report steps.

    Returns:
        The card of the saved checkpoint, with what was measured on the validation sources.

    Raises:
        TrainingDataError: nothing to learn from, overlapping boxes, or a loss that isn't a number.
        CheckpointError: `start_from` is no checkpoint of this method. StorageError: the output can't be written.
    """
    torch.manual_seed(recipe.seed)
    check_apart(recipe.sources, recipe.validation)
    datasets = [Dataset(source) for source in recipe.sources]
    held_out = [Dataset(source) for source in recipe.validation]
    for data in [*datasets, *held_out]:
        data.synapses  # noqa: B018  an empty box is refused before the first step
    task = task_of(method, recipe)
    card = _card(method, task, recipe, datasets)
    network = _network(card, recipe)
    shape = SampleShape(patch_shape=recipe.patch_shape, normalisation=card.normalisation, augmentation=Augmentation())
    plan = BatchPlan(datasets=datasets, make=task.make, shape=shape, size=recipe.batch, seed=recipe.seed)
    schedule = Schedule(steps=recipe.steps, learning_rate=recipe.learning_rate, average_decay=recipe.average_decay)
    trainer = Trainer(network, task.loss, schedule, choose_device(recipe.device))
    losses: list[float] = []

    def after(step: int, value: float) -> None:
        losses.append(value)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            measured: dict[str, Any] = {"loss": sum(losses[-200:]) / len(losses[-200:]), "steps": step + 1}
            measured |= task.validate(trainer, held_out, shape)
            trained = replace(card, metrics=measured)
            save_checkpoint(recipe.output, trained, trainer.result())
            saved.append(trained)

    saved: list[ModelCard] = []
    trainer.run(batches(plan, range(recipe.steps)), progress or NoProgress(), after)
    return saved[-1]


def _card(method: Method, task: Task, recipe: Recipe, datasets: list[Dataset]) -> ModelCard:
    resolutions = {data.resolution_nm for data in datasets}
    if len(resolutions) != 1:
        raise TrainingDataError(f"the training volumes have different resolutions: {sorted(resolutions)} nm")
    network = task.network
    if any(n % m for n, m in zip(recipe.patch_shape, network.multiple, strict=True)):
        raise ConfigError(f"patch shape {recipe.patch_shape} must be a multiple of {network.multiple} voxels")
    sources = [
        {"data": data.source.folder.name, "box": str(data.box), "weight": data.source.weight,
         "synapses": len(data.synapses)}
        for data in datasets
    ]  # fmt: skip
    training = {
        "sources": sources, "steps": recipe.steps, "batch": recipe.batch, "learning_rate": recipe.learning_rate,
        "positive_weight": recipe.positive_weight, "seed": recipe.seed,
        "start_from": recipe.start_from.name if recipe.start_from else None,
    }  # fmt: skip
    return ModelCard(
        name=recipe.name, method=method, network=network, resolution_nm=resolutions.pop(),
        patch_shape=recipe.patch_shape, normalisation=Normalisation(), parameters=recipe.parameters, training=training,
    )  # fmt: skip


def _network(card: ModelCard, recipe: Recipe) -> Network:
    network = build_network(card)
    initialise(network, recipe.seed)
    if recipe.start_from is not None:
        take_over(network, card.method, load_checkpoint(recipe.start_from, card.role))
    return network
