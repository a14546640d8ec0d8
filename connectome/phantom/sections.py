"""Effects of serial sectioning and imaging on each section: brightness, missing and shifted sections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectome.phantom.config import PhantomConfig

QUIET_SECTIONS = 8
MAX_SHIFT_VOXELS = 15


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section.

    Attributes:
        gain, offset: grey value = 128 + gain * (value - 128) + offset.
        noise: its noise, relative to the usual.
        shift: by how many voxels (y, x) its content is displaced.
        is_missing: whether its image is blank.
    """

    gain: float
    offset: float
    noise: float
    shift: tuple[int, int]
    is_missing: bool


def section_at(config: PhantomConfig, z: int) -> Section:
    """The state of section `z`, from the seed alone; those before the volume are like the first."""
    z = max(z, 0)
    rng = np.random.default_rng([config.seed, 5, z])
    drift = config.section_drift
    gain, offset, noise = rng.normal(0, 0.055), rng.normal(-3, 8.5), rng.normal(0, 0.18)
    return Section(
        gain=1 + drift * float(np.clip(gain, -0.15, 0.15)),
        offset=drift * float(np.clip(offset, -28, 25)),
        noise=float(np.clip(1 + drift * noise, 0.5, 1.6)),
        shift=shift_at(config, z),
        is_missing=_is_missing(config, z),
    )


def shift_at(config: PhantomConfig, z: int) -> tuple[int, int]:
    """By how many voxels (y, x) the content of section `z` is displaced."""
    if not config.artefacts or z < 0:
        return 0, 0
    plan, place = _plan(config, z)
    _, shifted = _places(config, plan)
    angle, length = plan.uniform(0, 2 * np.pi), plan.uniform(7, MAX_SHIFT_VOXELS)
    if place != shifted or plan.random() > 0.8:
        return 0, 0
    return round(length * float(np.sin(angle))), round(length * float(np.cos(angle)))


def _is_missing(config: PhantomConfig, z: int) -> bool:
    plan, place = _plan(config, z)
    missing, _ = _places(config, plan)
    return config.artefacts and place == missing and bool(plan.random() < 0.75)


def _plan(config: PhantomConfig, z: int) -> tuple[np.random.Generator, int]:
    """The generator of the run of sections that holds `z`, and the place of `z` in the run."""
    period, place = divmod(z, config.artefact_period_sections)
    return np.random.default_rng([config.seed, 6, period]), place


def _places(config: PhantomConfig, plan: np.random.Generator) -> tuple[int, int]:
    """Where in its run a section may be missing, and where shifted; away from the run's ends."""
    usable = config.artefact_period_sections - 2 * QUIET_SECTIONS
    missing, shifted = plan.choice(usable, 2, replace=False) + QUIET_SECTIONS
    return int(missing), int(shifted)
