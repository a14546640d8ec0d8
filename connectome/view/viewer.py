"""Neuroglancer shows a run: image, segmentation, cleft probability, clefts, and synapses as lines from pre to post.

The viewer's own server reads the volumes here and listens on the loopback address alone; its client comes with the
package, so nothing is fetched from elsewhere. Coordinates are z, y, x inside, as in the volumes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import neuroglancer
import numpy as np
from numpy.typing import NDArray

from connectome.errors import InputError
from connectome.evaluate.edges import EdgeScore
from connectome.geometry import Box, Grid, triple
from connectome.pipeline.context import PREDICTION
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS
from connectome.view.lines import Lines
from connectome.view.place import Place
from connectome.volumes.multiscale import open_multiscale
from connectome.volumes.volume import Volume

AXES = ("z", "y", "x")
LOOPBACK = "127.0.0.1"
REMOTE = ("gs://", "s3://", "http://", "https://", "precomputed://", "zarr://", "n5://")
CLIENT = "https://neuroglancer-demo.appspot.com"
# From orange (unsure) over white to blue (sure): told apart by the colour-blind too, and bright on grey.
LINES_SHADER = """
void main() {
  float c = clamp(prop_confidence(), 0.0, 1.0);
  vec3 unsure = vec3(0.90, 0.38, 0.00), between = vec3(0.97, 0.97, 0.97), sure = vec3(0.15, 0.55, 1.00);
  setColor(c < 0.5 ? mix(unsure, between, 2.0 * c) : mix(between, sure, 2.0 * c - 1.0));
  setLineWidth(3.0);
  setEndpointMarkerSize(2.0, 7.0);
}
"""
PREDICTION_SHADER = """
#uicontrol invlerp normalized(range=[0, 255])
void main() {
  float p = normalized();
  emitRGBA(vec4(1.0, 0.25, 0.2, p < 0.15 ? 0.0 : 0.75 * p));
}
"""


class ServedVolume:
    """A volume as the array that the viewer's server slices."""

    def __init__(self, volume: Volume) -> None:
        """Serve a volume."""
        self._volume = volume
        self.shape = volume.grid.shape
        self.ndim = 3
        self.dtype = volume.dtype

    def __getitem__(self, slices: Sequence[slice]) -> NDArray[Any]:
        """The voxels (z, y, x) of three slices without steps."""
        return self._volume.read(Box(triple(one.start for one in slices), triple(one.stop for one in slices)))


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What else a viewer has: its port on the loopback address (0: any free one), and a score against a reference."""

    port: int = 0
    score: EdgeScore | None = None


def open_viewer(run: RunRecord, lines: Lines, place: Place, extras: Extras | None = None) -> neuroglancer.Viewer:
    """A viewer of a finished run; it serves until its process ends or `neuroglancer.stop()`.

    Args:
        run: a finished run.
        lines: its synapses.
        place: where to open.
        extras: the port, and a score whose errors become layers.

    Raises:
        StorageError, VolumeNotFoundError: a volume can't be opened. InputError: the port is taken.
    """
    extras = extras or Extras()
    try:
        neuroglancer.set_server_bind_address(LOOPBACK, extras.port)
        viewer = neuroglancer.Viewer()
    except OSError as error:
        raise InputError(f"port {extras.port} of {LOOPBACK} can't be used: {error.strerror}") from error
    with viewer.txn() as state:
        _fill(state, run, lines, place)
        if extras.score is not None:
            _add_score(state, extras.score)
    return viewer


def _add_score(state: Any, score: EdgeScore) -> None:
    """A layer of points for each outcome: found, false, missed."""
    for name, (colour, judged) in {
        "true positives": ("#1f9bff", score.true_positive_synapses),
        "false positives": ("#ff8c00", score.false_positive_synapses),
        "misses": ("#ff2ad4", score.false_negative_synapses),
    }.items():
        points = [
            neuroglancer.PointAnnotation(id=str(i), point=one.centroid_nm, description=one.reason.value)
            for i, one in enumerate(judged)
        ]
        state.layers[name] = neuroglancer.LocalAnnotationLayer(_nm_space(), annotations=points, annotation_color=colour)


def link(run: RunRecord, lines: Lines, place: Place) -> str:
    """An address of a public Neuroglancer with the run's volumes that lie at URLs, and its synapses.

    Raises:
        InputError: neither the image nor the segmentation lies at a URL.
    """
    state = neuroglancer.ViewerState()
    _begin(state, place)
    if run.inputs is not None:
        for name, url in (("image", run.image_url), ("segmentation", run.segmentation_url)):
            if url.startswith(REMOTE):
                layer = neuroglancer.ImageLayer if name == "image" else neuroglancer.SegmentationLayer
                state.layers[name] = layer(source=url)
    if not len(state.layers):
        raise InputError(f"image and segmentation of run '{run.name}' aren't at URLs that others reach: view it here")
    state.layers["synapses"] = _lines_layer(lines)
    return f"{CLIENT}/#!{quote(json.dumps(state.to_json(), separators=(',', ':')))}"


def _nm_space() -> neuroglancer.CoordinateSpace:
    return neuroglancer.CoordinateSpace(names=list(AXES), units="nm", scales=[1, 1, 1])


def _begin(state: Any, place: Place) -> None:
    state.dimensions = _nm_space()
    state.position = list(place.centre_nm)
    state.cross_section_scale = 8.0
    state.projection_scale = 8_000.0
    state.display_dimensions = ["x", "y", "z"]
    state.layout = "4panel-alt"
    state.show_default_annotations = False


def _fill(state: Any, run: RunRecord, lines: Lines, place: Place) -> None:
    _begin(state, place)
    if run.inputs is not None:
        image = open_multiscale(run.image_url).finest
        state.layers["image"] = neuroglancer.ImageLayer(source=_source(image, "image"), shader=_grey_shader(run, image))
        selected = [] if place.segment_id is None else [place.segment_id]
        state.layers["segmentation"] = neuroglancer.SegmentationLayer(
            source=_source(open_multiscale(run.segmentation_url).finest, "segmentation"),
            segments=selected,
            selected_alpha=0.25,
            not_selected_alpha=0.0 if selected else 0.15,
        )
        state.layers["cleft probability"] = neuroglancer.ImageLayer(
            source=_source(Volume.open(run.folder / PREDICTION), "image"), shader=PREDICTION_SHADER
        )
        state.layers["cleft probability"].visible = False
        state.layers["clefts"] = neuroglancer.SegmentationLayer(
            source=_source(Volume.open(run.folder / CLEFTS), "segmentation"), selected_alpha=0.5
        )
    state.layers["synapses"] = _lines_layer(lines)


def _source(volume: Volume, kind: str) -> neuroglancer.LayerDataSource:
    """A volume in its place; an offset between voxels goes into the transform."""
    grid: Grid = volume.grid
    dimensions = neuroglancer.CoordinateSpace(names=list(AXES), units="nm", scales=list(grid.resolution_nm))
    offset = np.divide(grid.offset_nm, grid.resolution_nm)
    whole = np.floor(offset).astype(np.int64)
    matrix = np.concatenate([np.eye(3), (offset - whole)[:, None]], 1)
    local = neuroglancer.LocalVolume(ServedVolume(volume), dimensions, volume_type=kind, voxel_offset=whole)
    transform = neuroglancer.CoordinateSpaceTransform(output_dimensions=dimensions, matrix=matrix)
    # A mesh would be made from all voxels of the volume, in memory.
    return neuroglancer.LayerDataSource(url=local, transform=transform, subsources={"meshes": False})


def _grey_shader(run: RunRecord, image: Volume) -> str:
    """The contrast that was measured for the run, a little wider; else all grey values of the data type."""
    measured = run.parameters.get("grey_range")
    if measured is None:
        low, high = 0, int(np.iinfo(image.dtype).max)
    else:
        spread = measured[1] - measured[0]
        low, high = max(measured[0] - spread // 2, 0), measured[1] + spread // 2
    return f"#uicontrol invlerp normalized(range=[{low}, {high}])\nvoid main() {{ emitGrayscale(normalized()); }}\n"


def _lines_layer(lines: Lines) -> neuroglancer.LocalAnnotationLayer:
    """Lines from pre to post in nm; selecting a segment of the layer `segmentation` leaves its synapses."""
    known = np.nan_to_num(lines.confidence, nan=0.0)
    columns = (lines.cleft_id, lines.pre_segment_id, lines.post_segment_id, lines.size_voxels, known)
    rows = zip(*(column.tolist() for column in columns), lines.pre_nm.tolist(), lines.post_nm.tolist(), strict=True)
    annotations = [
        neuroglancer.LineAnnotation(
            id=str(i),
            point_a=pre_nm,
            point_b=post_nm,
            segments=[[pre], [post]],
            props=[confidence, size],
            description=f"cleft {cleft}: {pre} to {post}",
        )
        for i, (cleft, pre, post, size, confidence, pre_nm, post_nm) in enumerate(rows)
    ]
    return neuroglancer.LocalAnnotationLayer(
        _nm_space(),
        annotations=annotations,
        annotation_properties=[
            neuroglancer.AnnotationPropertySpec(id="confidence", type="float32", description="confidence", default=0),
            neuroglancer.AnnotationPropertySpec(id="size", type="uint32", description="size in voxels", default=0),
        ],
        annotation_relationships=["pre", "post"],
        linked_segmentation_layer={"pre": "segmentation", "post": "segmentation"},
        filter_by_segmentation=["pre", "post"],
        ignore_null_segment_filter=True,
        shader=LINES_SHADER,
    )
