"""Training a detector or an assigner from a recipe."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from connectome.errors import ConfigError, TrainingDataError
from connectome.geometry import Vector
from connectome.networks.architecture import initialise
from connectome.networks.checkpoint import (
    Method,
    ModelCard,
    Network,
    Normalisation,
    build_network,
    load_checkpoint,
    take_over,
)
from connectome.networks.device import choose_device
from connectome.records import NoProgress, Progress
from connectome.training.course import Course, Interruption, Training
from connectome.training.data.checks import check_apart, check_decoys, check_labels, check_partners
from connectome.training.data.dataset import Dataset
from connectome.training.loop import Schedule, Trainer
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import Augmentation, SampleShape
from connectome.training.samples.batches import BatchPlan, batches
from connectome.training.task import Task, task_of
from connectome.weights.manifest import shipped_models

NEAR_SPACING = 1 / 6
"""Sections that are closer by no more than this share of their distance look the same to a network."""
Span = tuple[float, float]


def train(method: Method, recipe: Recipe, progress: Progress | None = None) -> ModelCard:
    """Train and save a checkpoint, or go on where the same training was interrupted (see `course`).

    Args:
        method: what the network is to answer, see `training.task`.
        recipe: data, network and schedule.
        progress: where to report steps.

    Returns:
        The card of the saved checkpoint, with what was measured on the validation sources.

    Raises:
        TrainingDataError: nothing to learn from, overlapping boxes, or a loss that isn't a number.
        CheckpointError: `start_from` is no checkpoint of this method. StorageError: the output can't be written.
        ConfigError: what was begun there is another training, or there is nothing to resume.
        KeyboardInterrupt: the user wants to stop; the same call goes on.
    """
    shown = progress or NoProgress()
    torch.manual_seed(recipe.seed)
    task = task_of(method, recipe)
    datasets, held_out = _open(recipe, task)
    card = _card(method, task, recipe, datasets, held_out)
    shape = SampleShape(
        patch_shape=recipe.patch_shape,
        normalisation=card.normalisation,
        augmentation=recipe.augmentation,
        decoy_share=recipe.decoy_share,
    )
    plan = BatchPlan(datasets=datasets, make=task.make, shape=shape, size=recipe.batch, seed=recipe.seed)
    schedule = Schedule(steps=recipe.steps, learning_rate=recipe.learning_rate, average_decay=recipe.average_decay)
    trainer = Trainer(_network(card, recipe), task.loss, schedule, choose_device(recipe.device))
    training = Training(recipe=recipe, task=task, card=card, trainer=trainer, held_out=held_out, shape=shape)
    with Interruption() as interruption:
        course = Course(training, shown, interruption)
        first = course.begin()
        shown.start("train", recipe.steps, done=first, unit="steps")
        trainer.run(batches(plan, range(first, recipe.steps)), first, course.after)
        shown.finish()
    return course.result()


def _open(recipe: Recipe, task: Task) -> tuple[list[Dataset], list[Dataset]]:
    """The data to train on and to measure on, looked over."""
    datasets = [Dataset(source) for source in recipe.sources]
    held_out = [Dataset(source) for source in recipe.validation]
    check_apart(datasets, held_out)
    if recipe.decoy_share > 0 and not task.sees_decoys:
        raise ConfigError("pruners aren't trained on decoys: leave decoy_share out")
    check_decoys(datasets, recipe.decoy_share)
    for data in [*datasets, *held_out]:
        check_labels(data, recipe.patch_shape)
        if task.learns_partners:
            check_partners(data, recipe.patch_shape, recipe.unpaired)
    return datasets, held_out


def _card(method: Method, task: Task, recipe: Recipe, datasets: list[Dataset], held_out: list[Dataset]) -> ModelCard:
    pixels = sorted({data.resolution_nm[1:] for data in [*datasets, *held_out]})
    if len(pixels) != 1:
        raise TrainingDataError(
            f"the cleft labels have different pixels, {' and '.join(map(str, pixels))} nm: a network learns at one, so "
            "resample them to one"
        )
    network = task.network
    pixel_nm, section_nm = _trained_for(datasets, recipe.augmentation)
    if any(Vector(recipe.patch_shape) % network.multiple):
        raise ConfigError(f"patch shape {recipe.patch_shape} must be a multiple of {network.multiple} voxels")
    training = {
        "sources": [_described(data) | {"weight": data.source.weight} for data in datasets],
        "validation": [_described(data) for data in held_out],
        "steps": recipe.steps,
        "batch": recipe.batch,
        "learning_rate": recipe.learning_rate,
        "positive_weight": recipe.positive_weight,
        "seed": recipe.seed,
        "decoy_share": recipe.decoy_share,
        "augmentation": asdict(recipe.augmentation),
        "start_from": recipe.start_from.name if recipe.start_from else None,
    }
    return ModelCard(
        name=recipe.name,
        method=method,
        network=network,
        resolution_nm=datasets[0].resolution_nm,
        patch_shape=recipe.patch_shape,
        normalisation=Normalisation(),
        parameters=recipe.parameters,
        training=training,
        pixel_nm=pixel_nm,
        section_nm=section_nm,
    )


def _trained_for(datasets: list[Dataset], how: Augmentation) -> tuple[Span | None, Span | None]:
    """The pixels and distances of sections that the samples show, where they are more than those of one volume."""
    spacings = [data.resolution_nm[0] for data in datasets]
    low, high = min(spacings), max(spacings) * (how.spacing if how.thinned > 0 else 1)
    pixel = datasets[0].resolution_nm[1]
    pixel_nm = (pixel * min(how.finest, 1), pixel * max(how.coarsest, 1)) if how.resampled > 0 else None
    return pixel_nm, (low * (1 - NEAR_SPACING), max(high, low * (1 + NEAR_SPACING))) if high > low else None


def _described(data: Dataset) -> dict[str, Any]:
    return {"data": data.source.label, "box": str(data.box), "synapses": len(data.synapses)}


def _network(card: ModelCard, recipe: Recipe) -> Network:
    network = build_network(card)
    initialise(network, recipe.seed)
    if recipe.start_from is not None:
        take_over(network, card.method, load_checkpoint(_start(recipe.start_from), card.role))
    return network


def _start(wanted: Path) -> Path:
    """A checkpoint's path, or the one of the shipped model of this name."""
    shipped = shipped_models().get(str(wanted))
    return wanted if shipped is None or wanted.is_file() else shipped.path
