"""What a phantom is made from: its shape, its seed and its artefacts."""

from __future__ import annotations

from dataclasses import dataclass

from connectome.errors import ConfigError
from connectome.geometry import Box, NmTriple, Triple


@dataclass(frozen=True, kw_only=True)
class PhantomConfig:
    """The whole recipe of a phantom; equal configurations give equal volumes.

    Attributes:
        shape: voxels (z, y, x) of the whole volume.
        seed: any integer of at least 0; another seed is another tissue.
        resolution_nm: nm a voxel (z, y, x).
        bouton_spacing_nm: mean length of axon between two boutons; shorter means more synapses.
        noise: strength of the grain of the image; 1 resembles serial-section SEM, 0 is none.
        section_drift: strength of the changes of brightness and contrast between sections; 1 is usual, 0 is none.
        artefacts: whether some sections are missing (blank) or shifted.
        artefact_period_sections: at most one missing and one shifted section in each run of so many sections.
    """

    shape: Triple = (64, 512, 512)
    seed: int = 0
    resolution_nm: NmTriple = (30.0, 12.0, 12.0)
    bouton_spacing_nm: float = 6000.0
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
        if self.bouton_spacing_nm < 1000 or self.artefact_period_sections < 20:
            raise ConfigError("boutons are at least 1000 nm apart and artefacts at least 20 sections")

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box.of_shape(self.shape)

    @property
    def extent_nm(self) -> NmTriple:
        """The size (z, y, x) of the volume in nm."""
        z, y, x = (n * r for n, r in zip(self.shape, self.resolution_nm, strict=True))
        return z, y, x
