"""A picture of each wrongly assigned cleft."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from paper import Data

from connectome.evaluate.assignment import WrongAssignment
from connectome.geometry import Box, triple
from connectome.plots.figure import panels, save
from connectome.volumes.volume import Volume

VIEW = 72  # voxels on each side of a picture's middle


def draw_errors(errors: list[tuple[str, Data, WrongAssignment]], path: Path) -> None:
    """A panel an error: the section through the cleft; it, its annotated and its chosen partners outlined."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = panels(len(errors), width=2.6, height=3.4)
    for axis, (method, data, error) in zip(axes, errors, strict=True):
        _draw(axis, data.folder, error)
        axis.set_title(f"{method}, cleft {error.cleft_id}\nblue pre, orange post,\ndashed: chosen", fontsize=7)
    save(figure, path)


def _draw(axis: Axes, folder: Path, error: WrongAssignment) -> None:
    image, segmentation, clefts = (Volume.open(folder / f"{name}.zarr") for name in ("raw", "neuron_ids", "clefts"))
    z, y, x = triple(int(c) for c in error.centroid_voxel)
    box = Box((z, y - VIEW, x - VIEW), (z + 1, y + VIEW, x + VIEW)).intersect(image.box)
    segments = segmentation.read(box)[0]
    axis.imshow(image.read(box)[0], cmap="gray", vmin=0, vmax=255)
    _outline(axis, clefts.read(box)[0] == np.uint64(error.cleft_id), "red", "solid")
    for pre, post in error.reference_pairs:
        _outline(axis, segments == np.uint64(pre), "tab:blue", "solid")
        _outline(axis, segments == np.uint64(post), "tab:orange", "solid")
    for segment, colour in ((error.pre_segment_id, "tab:blue"), (error.post_segment_id, "tab:orange")):
        if segment is not None:
            _outline(axis, segments == np.uint64(segment), colour, "dashed")
    axis.set_axis_off()


def _outline(axis: Axes, mask: np.ndarray, colour: str, style: str) -> None:
    if mask.any() and not mask.all():
        axis.contour(mask, [0.5], colors=colour, linewidths=0.9, linestyles=style)
