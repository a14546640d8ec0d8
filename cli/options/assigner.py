"""Options that say how partners are chosen."""

from __future__ import annotations

from typing import Annotated

import typer

AssignerOption = Annotated[
    str | None,
    typer.Option(
        "--assigner",
        metavar="NAME|FILE",
        show_default=False,
        help="Model that assigns partners: avan, mask-pruner, proximity-pruner; or nearest, no model (default: avan).",
    ),
]
DirectionOption = Annotated[
    str | None,
    typer.Option(
        "--direction",
        metavar="NAME|FILE",
        show_default=False,
        help="For --assigner nearest: model that tells pre from post (default: a signed-proximity detector, if that is "
        "used; else nothing tells them apart, and the smaller id is pre).",
    ),
]
PolyadicOption = Annotated[
    bool | None,
    typer.Option(
        "--polyadic/--dyadic",
        show_default=False,
        help="All partners over a threshold, several synapses a cleft; or one pair (default: the assigner's).",
    ),
]
MinContactOption = Annotated[
    float | None,
    typer.Option(
        "--min-contact",
        metavar="0..1",
        show_default=False,
        help="Partners have at least this share of the largest contact with the cleft (default: the assigner's).",
    ),
]
PreThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--pre-threshold",
        metavar="0..1",
        show_default=False,
        help="What further presynaptic partners of a polyadic cleft must score (default: the assigner's).",
    ),
]
PostThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--post-threshold",
        metavar="0..1",
        show_default=False,
        help="What further postsynaptic partners of a polyadic cleft must score (default: the assigner's).",
    ),
]
