"""Choices of a training; imports nothing heavy, so that the command line can show it."""

from __future__ import annotations

from enum import StrEnum


class Trained(StrEnum):
    """A kind of network that is trained: each has a command and defaults of its own."""

    DETECTOR = "detector"
    ASSIGNER = "assigner"
    PRUNER = "pruner"


class Keep(StrEnum):
    """The weights that become the checkpoint: those with the best metric on the validation data, or the last."""

    BEST = "best"
    LAST = "last"


class Begin(StrEnum):
    """Where to begin: where the same training ended, if it did (auto) or else not at all (resume); or anew."""

    AUTO = "auto"
    RESUME = "resume"
    RESTART = "restart"


class Unpaired(StrEnum):
    """The treatment of cleft labels without annotated partners: refuse the data, or learn nothing from them."""

    REFUSE = "refuse"
    ALLOW = "allow"
