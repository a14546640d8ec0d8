"""The comparisons of benchmarks/speed.py: predict, label and stitch, assign, each beside what it can't do without."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cc3d
import numpy as np
import torch
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, grown, join, label_block, shared_voxel_pairs, whole_clefts
from connectome.clefts.predict import CleftPredictor
from connectome.clefts.tiling import TileLattice, TileShape
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.models.assigners import open_assigner
from connectome.models.lookup import load_model
from connectome.networks.checkpoint import Checkpoint, ModelRole
from connectome.networks.device import half_precision
from connectome.networks.inference import for_inference, inference_dtype, normalised
from connectome.partners.assignment import AssignmentRules, assign
from connectome.partners.avan import PATCHES_A_BATCH as PATCHES_A_CALL
from connectome.partners.patches import PATCHES_A_BATCH, PatchReader
from connectome.pipeline.inputs import as_model_sees, choose_grey_range, model_grid
from connectome.pipeline.pair import VolumePair, open_pair
from connectome.pipeline.request import InputVolumes
from connectome.pipeline.stages.label import write_labels
from connectome.pipeline.steps import TilePredictor, blended, mirrored
from connectome.volumes.volume import Volume

CPU = torch.device("cpu")
BLOCK: Triple = (64, 256, 256)
CHUNK: Triple = (32, 128, 128)
THRESHOLD = 38
ROUNDS = 3
SHAPES: tuple[Triple, ...] = ((18, 128, 128), (24, 160, 160), (32, 160, 160), (32, 256, 256), TileShape().tile)
PREDICTED = Box((0, 0, 0), (64, 256, 256))
OLD_TILE: Triple = (32, 160, 160)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A rate and what it is compared with, in millions of `unit` a second (of patches: in patches)."""

    what: str
    rate: float
    beside: str
    bare: float
    unit: str
    aim: str

    @property
    def row(self) -> list[str]:
        """Of the table."""
        rates = [
            f"{value:.2f} {self.unit}/s" if value < 100 else f"{value:.0f} {self.unit}/s"
            for value in (self.rate, self.bare)
        ]
        return [self.what, rates[0], self.beside, rates[1], f"{self.rate / self.bare:.2f}", self.aim]


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """A phantom with the shipped models, and a folder to write to."""

    pair: VolumePair
    detector: Checkpoint
    assigner: Checkpoint
    folder: Path

    @classmethod
    def open(cls, source: Path, folder: Path) -> Phantom:
        """Open it; what lies in `folder` goes."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        detector = load_model(ModelRole.DETECTOR, None)
        volumes = InputVolumes(image=str(source / "raw.zarr"), segmentation=str(source / "neuron_ids.zarr"))
        pair = open_pair(volumes, model_grid(detector.card))
        return cls(pair=pair, detector=detector, assigner=load_model(ModelRole.ASSIGNER, None), folder=folder)

    def volume(self, name: str, shape: Triple, dtype: type, chunk_shape: Triple = CHUNK) -> Volume:
        """A new volume."""
        nm = self.pair.segmentation.resolution_nm
        return Volume.create(
            self.folder / name, shape=shape, dtype=dtype, resolution_nm=nm, chunk_shape=chunk_shape, overwrite=True
        )


def fastest(calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The shortest seconds of each, turn and turn about."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def predict_share(phantom: Phantom) -> tuple[list[Measured], NDArray[np.uint8]]:
    """The stage predict on the tiles of `PREDICTED` beside the network alone on them, and what they predict there."""
    card, segmentation = phantom.detector.card, phantom.pair.segmentation
    grey = choose_grey_range("volume", phantom.pair.image)
    image = as_model_sees(phantom.pair.image, grey, card.normalisation)
    lattice = TileLattice(segmentation.shape, TileShape(), card.network.multiple)
    predictor = TilePredictor(
        network=CleftPredictor(phantom.detector, CPU), image=image, segmentation=segmentation, lattice=lattice
    )
    tiles = phantom.volume("tiles.zarr", lattice.store_shape, np.uint8, lattice.tiles.output)
    ready = for_inference(phantom.detector.network, CPU)

    def bare(tensor: torch.Tensor) -> None:
        with torch.inference_mode():
            ready(tensor)

    bare(_ready(torch.zeros(1, 1, *OLD_TILE)))
    stage = alone = voxels = 0.0
    cells = lattice.cells_overlapping(PREDICTED)
    for cell in cells:
        seen = lattice.input_box(cell)
        shown = _ready(normalised(torch.from_numpy(mirrored(image, seen)), card.normalisation)[None, None])

        def whole_stage(cell: Triple = cell) -> None:
            tiles.write(lattice.store_box(cell), predictor.outputs([cell])[0])

        seconds = fastest({"stage": whole_stage, "bare": lambda shown=shown: bare(shown)})  # type: ignore[misc]
        stage, alone, voxels = stage + seconds["stage"], alone + seconds["bare"], voxels + seen.size_voxels / 1e6
    shares = _shape_shares(phantom.detector, bare)
    best = max(SHAPES, key=lambda shape: shares[str(shape)])
    whole = lattice.cells_overlapping(segmentation.box)
    kept = segmentation.box.size_voxels / sum(lattice.input_box(cell).size_voxels for cell in whole)

    def read_tile(cell: Triple, part: Box) -> NDArray[np.uint8]:
        return tiles.read(part.shift(lattice.store_box(cell).start))

    side, rate = "x".join(map(str, best)), voxels / stage
    return [
        Measured(
            what="predict, voxels into the network",
            rate=rate,
            beside="the network alone on the same tiles",
            bare=voxels / alone,
            unit="Mvoxel",
            aim="0.85",
        ),
        Measured(
            what="predict, voxels of the volume",
            rate=rate * kept,
            beside=f"the network's best rate ({side})",
            bare=shares[str(best)],
            unit="Mvoxel",
            aim="0.45",
        ),
        Measured(
            what="the network on 32x160x160",
            rate=shares[str(OLD_TILE)],
            beside="with autocast, not folded",
            bare=shares["before"],
            unit="Mvoxel",
            aim="",
        ),
        _compiled_share(ready),
    ], blended(lattice, PREDICTED, read_tile)


def _ready(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(inference_dtype(CPU)).contiguous(memory_format=torch.channels_last_3d)


def _shape_shares(detector: Checkpoint, bare: Callable[[torch.Tensor], None]) -> dict[str, float]:
    """The network's rates in Mvoxel/s by shape, and with autocast as `before`."""
    old = torch.randn(1, 1, *OLD_TILE).contiguous(memory_format=torch.channels_last_3d)

    def before() -> None:
        with torch.inference_mode(), half_precision(CPU):
            detector.network(old)

    calls: dict[str, Callable[[], object]] = {"before": before}
    for shape in SHAPES:
        tensor = _ready(torch.randn(1, 1, *shape))
        calls[str(shape)] = lambda tensor=tensor: bare(tensor)  # type: ignore[misc]
    seconds = fastest(calls)
    sizes = {"before": OLD_TILE, **{str(shape): shape for shape in SHAPES}}
    return {name: float(np.prod(sizes[name])) / 1e6 / value for name, value in seconds.items()}


def _compiled_share(ready: torch.nn.Module) -> Measured:
    """The network through torch.compile beside what a build uses, on a tile."""
    shape = TileShape().tile
    tensor = _ready(torch.randn(1, 1, *shape))
    compiled = torch.compile(ready)
    with torch.inference_mode():
        began = time.perf_counter()
        compiled(tensor)
        first = time.perf_counter() - began
        seconds = fastest({"compiled": lambda: compiled(tensor), "plain": lambda: ready(tensor)})
    rates = {name: float(np.prod(shape)) / 1e6 / value for name, value in seconds.items()}
    return Measured(
        what=f"the network compiled ({first:.0f} s to compile)",
        rate=rates["compiled"],
        beside="as a build runs it",
        bare=rates["plain"],
        unit="Mvoxel",
        aim="",
    )


def label_share(phantom: Phantom, prediction: NDArray[np.uint8], copies: int) -> list[Measured]:
    """From a stored prediction to stored labels with their statistics, beside one call of cc3d in memory."""
    whole = np.ascontiguousarray(np.tile(prediction, (1, copies, copies)))
    shape = triple(whole.shape)
    stored = phantom.volume("prediction.zarr", shape, np.uint8)
    stored.write(stored.box, whole)

    def ours() -> None:
        labels, grid = phantom.volume("labels.zarr", shape, np.uint64), BlockGrid(stored.box, BLOCK)

        def labelled(block: Box):  # type: ignore[no-untyped-def]
            return label_block(stored.read(grown(block, stored.box)), block, shape, THRESHOLD, Connectivity.CORNERS)

        first = [labelled(block) for _, block in grid]
        fragments, clefts = join(shared_voxel_pairs([block.border for block in first]))
        target = dict(zip(fragments.tolist(), clefts.tolist(), strict=True))
        ids = [block.fragments.fragment_id for block in first]
        for (_, block), sources in zip(grid, ids, strict=True):
            again = labelled(block)
            targets = np.array([target.get(i, i) for i in sources.tolist()], np.int64)
            write_labels(labels, BlockGrid(block, CHUNK), again, again.targets(sources, targets))

    def theirs() -> None:
        cc3d.statistics(cc3d.connected_components(whole >= THRESHOLD, connectivity=26, out_dtype=np.uint32))

    seconds = fastest({"ours": ours, "theirs": theirs})
    share = float((whole >= THRESHOLD).mean())
    rates = {name: whole.size / 1e6 / value for name, value in seconds.items()}
    return [
        Measured(
            what=f"label, stitch, write ({share:.2%} cleft; one thread)",
            rate=rates["ours"],
            beside="cc3d with statistics in memory",
            bare=rates["theirs"],
            unit="Mvoxel",
            aim="0.83; 60 Mvoxel/s",
        )
    ]


def assign_share(phantom: Phantom) -> list[Measured]:
    """Assigning the clefts of the stored labels beside the network alone on the same patches."""
    card, segmentation = phantom.assigner.card, phantom.pair.segmentation
    prediction = Volume.open(phantom.folder / "prediction.zarr").read(PREDICTED)
    labelled = label_block(prediction, PREDICTED, segmentation.shape, THRESHOLD, Connectivity.CORNERS)
    clefts = phantom.volume("clefts.zarr", segmentation.shape, np.uint64)
    clefts.write(PREDICTED, labelled.labels())
    found = whole_clefts(labelled.fragments, 200, segmentation.resolution_nm, segmentation.offset_nm)
    grey = choose_grey_range("volume", phantom.pair.image)
    reader = PatchReader(
        image=as_model_sees(phantom.pair.image, grey, card.normalisation),
        segmentation=segmentation,
        clefts=Volume.open(phantom.folder / "clefts.zarr"),
        shape=card.patch_shape,
        proximity=lambda box: None,
    )
    extents = [Box(triple(a), triple(b)) for a, b in zip(found.start, found.stop, strict=True)]
    seen = [(extent, reader.box(centre, extent)) for centre, extent in zip(found.centre, extents, strict=True)]
    fits = [place for place, (_, box) in enumerate(seen) if box.shape == card.patch_shape]
    seen, ids = [seen[place] for place in fits], found.cleft_id[fits]
    assigner = open_assigner(card, phantom.assigner.network, CPU)
    ready = for_inference(phantom.assigner.network, CPU)
    size = PATCHES_A_CALL["cpu"]
    example = torch.randn(size, 2, *card.patch_shape).to(inference_dtype(CPU))
    batch = example.contiguous(memory_format=torch.channels_last_3d)

    def whole_stage() -> None:
        for first in range(0, len(seen), PATCHES_A_BATCH):
            part = slice(first, first + PATCHES_A_BATCH)
            patches = reader.read(ids[part], seen[part])
            assign(patches, assigner, AssignmentRules(), segmentation.resolution_nm, card.patch_shape)

    def bare() -> None:
        with torch.inference_mode():
            for first in range(0, len(seen), size):
                ready(batch[: len(seen) - first])

    seconds = fastest({"stage": whole_stage, "bare": bare})
    rates = {name: len(seen) / value for name, value in seconds.items()}
    return [
        Measured(
            what=f"assign ({len(seen)} clefts; {os.cpu_count()} cores)",
            rate=rates["stage"],
            beside="the network alone on as many patches",
            bare=rates["bare"],
            unit="patches",
            aim="0.80",
        )
    ]
