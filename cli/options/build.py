"""The options of `connectome build volume`. What isn't given is None: a file, the models or the defaults decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectome.cli.options.common import Device

ImageOption = Annotated[str | None, typer.Option(metavar="URL", help="The EM image: a path or URL.")]
SegmentationOption = Annotated[str | None, typer.Option(metavar="URL", help="Its segmentation.")]
NameOption = Annotated[str | None, typer.Option(help="Name of the run (default: default).", show_default=False)]
ConfigOption = Annotated[
    Path | None, typer.Option(metavar="FILE.toml", help="The same options as keys of a TOML file; flags win.")
]
DetectorOption = Annotated[
    str | None, typer.Option(metavar="NAME|FILE", help="Model that finds clefts (default: mask).")
]
BuildDeviceOption = Annotated[
    Device | None, typer.Option(help="Where the networks run (default: auto).", show_default=False)
]
ThresholdOption = Annotated[
    float | None, typer.Option(help="A voxel is cleft from this strength on, 0 to 1 (default: the detector's).")
]
MinSizeOption = Annotated[
    int | None, typer.Option(metavar="VOXELS", help="Smaller clefts are dropped (default: the detector's).")
]
DilationOption = Annotated[
    float | None, typer.Option(metavar="NM", help="How far partners may be from a cleft (default: the assigner's).")
]
DuplicateDistanceOption = Annotated[
    float | None,
    typer.Option(
        metavar="NM",
        help="Synapses of the same partners with clefts this near are one (default: the models', 0: off).",
    ),
]
MinScoreOption = Annotated[
    float | None,
    typer.Option(metavar="0..1", help="Synapses of a lower score are left out (default: the models')."),
]
ConfidenceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.json", help="Model of the synapses' confidence, from `calibrate` (default: the assigner's)."
    ),
]
ConnectivityOption = Annotated[
    int | None, typer.Option(metavar="6|18|26", help="Neighbours by faces, edges or corners (default: 26).")
]
RestartOption = Annotated[bool, typer.Option("--restart", help="Forget what the run of this name has done.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Have N local processes do the work (dask: the extra 'cluster')."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Have the workers of a dask scheduler do it, e.g. tcp://host:8786."),
]
AttemptsOption = Annotated[
    int | None, typer.Option(help="How often a block that fails is tried (default: 3).", show_default=False)
]
