"""The part of a connectome that is looked at: one filter that means the same in every query, export and command."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from connectome.errors import BoxError, ConfigError
from connectome.geometry import NmTriple


class Direction(StrEnum):
    """A side of a neuron: what it receives, or where it sends."""

    INPUTS = "inputs"
    OUTPUTS = "outputs"
    BOTH = "both"


class Side(StrEnum):
    """One side of a neuron."""

    INPUTS = "inputs"
    OUTPUTS = "outputs"


@dataclass(frozen=True)
class NmBox:
    """A box in nm, axes (z, y, x); start inclusive, stop exclusive."""

    start_nm: NmTriple
    stop_nm: NmTriple

    def __post_init__(self) -> None:
        """Refuse a box without content.

        Raises:
            BoxError: a side is empty or not finite.
        """
        if not all(math.isfinite(value) for value in (*self.start_nm, *self.stop_nm)):
            raise BoxError(f"a box in nm needs finite numbers: {self}")
        if not all(a < b for a, b in zip(self.start_nm, self.stop_nm, strict=True)):
            raise BoxError(f"the box {self} is empty: each start must be less than its stop")

    @classmethod
    def parse(cls, text: str) -> NmBox:
        """The box of a text such as '0:3000,0:1200,600:1200' (z, y, x in nm).

        Raises:
            BoxError: the text isn't of that form.
        """
        try:
            sides = [[float(part) for part in side.split(":")] for side in text.split(",")]
            (z0, z1), (y0, y1), (x0, x1) = sides
        except ValueError as error:
            raise BoxError(
                f"'{text}' isn't a box in nm: write z0:z1,y0:y1,x0:x1, e.g. 0:3000,0:1200,600:1200"
            ) from error
        return cls((z0, y0, x0), (z1, y1, x1))

    def __str__(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{a:g}:{b:g}" for a, b in zip(self.start_nm, self.stop_nm, strict=True))


@dataclass(frozen=True, kw_only=True)
class Filter:
    """The part of a connectome that is looked at.

    `min_confidence`, `min_size`, `max_size` and `box_nm` choose synapses, counted into edges from one neuron to
    another; `min_synapses`, `pre_type` and `post_type` choose edges. Fractions are of all synapses of a neuron, also of
    those that are left out.

    Attributes:
        run: name of a finished run; None: the latest finished.
        roots: version of the roots; None: the segments as they are in the volume.
        min_synapses: leave out edges of fewer synapses.
        min_confidence: leave out synapses of a lower confidence (0 to 1), or of none.
        min_size, max_size: leave out synapses whose cleft has fewer or more voxels, or no size.
        box_nm: leave out synapses whose cleft's centroid lies outside.
        pre_type, post_type: leave out edges whose presynaptic or postsynaptic neuron isn't annotated with this type.
    """

    run: str | None = None
    roots: str | None = None
    min_synapses: int = 1
    min_confidence: float | None = None
    min_size: int | None = None
    max_size: int | None = None
    box_nm: NmBox | None = None
    pre_type: str | None = None
    post_type: str | None = None

    def __post_init__(self) -> None:
        """Refuse values without a meaning.

        Raises:
            ConfigError: one is out of its range.
        """
        if self.min_synapses < 1:
            raise ConfigError(f"min_synapses {self.min_synapses} must be at least 1")
        confidence = self.min_confidence
        if confidence is not None and not 0.0 <= confidence <= 1.0:
            raise ConfigError(f"min_confidence {confidence:g} must lie between 0 and 1")
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise ConfigError(f"min_size {self.min_size} is greater than max_size {self.max_size}")

    @property
    def chooses_edges(self) -> bool:
        """True if some edges may be left out, and so their synapses."""
        return self.min_synapses > 1 or self.pre_type is not None or self.post_type is not None

    @property
    def chooses_synapses(self) -> bool:
        """True if some synapses of an edge may be left out, so that it must be counted anew."""
        return any(value is not None for value in (self.min_confidence, self.min_size, self.max_size, self.box_nm))
