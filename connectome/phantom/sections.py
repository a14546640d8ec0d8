"""What serial sectioning and imaging do to each section: brightness, missing and shifted sections."""

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
    period, place = divmod(z, config.artefact_period_sections)
    plan = np.random.default_rng([config.seed, 6, period])
    usable = config.artefact_period_sections - 2 * QUIET_SECTIONS
    missing, shifted = (int(v) + QUIET_SECTIONS for v in plan.choice(usable, 2, replace=False))
    angle, length = plan.uniform(0, 2 * np.pi), plan.uniform(7, MAX_SHIFT_VOXELS)
    has_missing, has_shifted = plan.random(2) < (0.7, 0.8)
    shift = (round(length * float(np.sin(angle))), round(length * float(np.cos(angle))))
    return Section(
        gain=1 + drift * float(np.clip(gain, -0.15, 0.15)), offset=drift * float(np.clip(offset, -28, 25)),
        noise=float(np.clip(1 + drift * noise, 0.5, 1.6)),
        shift=shift if config.artefacts and has_shifted and place == shifted else (0, 0),
        is_missing=bool(config.artefacts and has_missing and place == missing),
    )  # fmt: skip
