"""What is made of a run's results needs a finished run. Light: graphs and scores need no torch."""

from __future__ import annotations

from connectome.store.runs.finished import finished_run

CLEFTS = "clefts.zarr"  # the run's label volume, in its folder

__all__ = ["CLEFTS", "finished_run"]
