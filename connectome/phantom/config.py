"""The configuration of a phantom: its shape, its seed and its artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectome.errors import ConfigError
from connectome.geometry import Box, Grid, NmTriple, Triple, Vector


class PhantomPreset(StrEnum):
    """The kind of tissue that a phantom resembles.

    `cortex`: mammalian neuropil with spines and dyadic synapses. `insect`: thin neurites, and boutons with T-bars that
    face several small postsynaptic partners across one cleft.
    """

    CORTEX = "cortex"
    INSECT = "insect"


USUAL_SPACING_NM = {PhantomPreset.CORTEX: 6000.0, PhantomPreset.INSECT: 4500.0}


@dataclass(frozen=True, kw_only=True)
class PhantomConfig:
    """The whole recipe of a phantom; equal configurations give equal volumes.

    Attributes:
        shape: voxels (z, y, x) of the whole volume.
        seed: any integer of at least 0; another seed is another tissue.
        resolution_nm: nm a voxel (z, y, x).
        preset: the kind of tissue.
        bouton_spacing_nm: mean length of axon between two boutons; shorter means more synapses. None: as is usual in
            the kind of tissue.
        noise: strength of the grain of the image; 1 resembles serial-section SEM, 0 is none.
        section_drift: strength of the changes of brightness and contrast between sections; 1 is usual, 0 is none.
        artefacts: whether some sections are missing (blank) or shifted.
        artefact_period_sections: at most one missing and one shifted section in each run of so many sections.
    """

    shape: Triple = (64, 512, 512)
    seed: int = 0
    resolution_nm: NmTriple = (30.0, 12.0, 12.0)
    preset: PhantomPreset = PhantomPreset.CORTEX
    bouton_spacing_nm: float | None = None
    noise: float = 1.0
    section_drift: float = 1.0
    artefacts: bool = True
    artefact_period_sections: int = 64

    def __post_init__(self) -> None:
        """Refuse what no phantom can be made from."""
        if min(self.shape) < 1:
            raise ConfigError(f"a phantom's shape is at least 1 voxel along each axis, not {self.shape}")
        if not all(1.0 <= r <= 100.0 for r in self.resolution_nm):
            raise ConfigError(f"a phantom's resolution lies between 1 and 100 nm, not {self.resolution_nm}")
        if self.seed < 0:
            raise ConfigError(f"a phantom's seed is 0 or greater, not {self.seed}")
        if self.spacing_nm < 1000 or self.artefact_period_sections < 20:
            raise ConfigError("boutons are at least 1000 nm apart and artefacts at least 20 sections")

    @property
    def spacing_nm(self) -> float:
        """The mean length of axon between two boutons, in nm."""
        return USUAL_SPACING_NM[self.preset] if self.bouton_spacing_nm is None else self.bouton_spacing_nm

    @property
    def grid(self) -> Grid:
        """Where the volume lies: it begins at 0 nm."""
        return Grid(shape=self.shape, resolution_nm=self.resolution_nm)

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box.of_shape(self.shape)

    @property
    def extent_nm(self) -> Vector[float]:
        """The size (z, y, x) of the volume in nm."""
        return self.grid.stop_nm
