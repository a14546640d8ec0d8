"""The data set that a command took, told where it wasn't asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from connectome.store.proofreading.data_sets import DataSet


def tell_data_set(chosen: DataSet, name: str | None, run: str | None) -> None:
    """Say on stderr which data set was taken, where neither its name nor a run was given and there are others."""
    if name is None and run is None and chosen.others:
        typer.echo(
            f"data set: {chosen.name}, the oldest of {chosen.others + 1} (--data-set or --run names another)", err=True
        )
