"""Tiles through the detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from connectome.clefts.predict import CleftPredictor
from connectome.clefts.tiling import TileLattice, TileShape
from connectome.geometry import Box, Triple
from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Checkpoint, Method, ModelCard, ModelRole, load_checkpoint, save_checkpoint
from connectome.pipeline.steps import TilePredictor, has_segments
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

SHAPE: Triple = (9, 40, 70)
TILES = TileShape(tile=(8, 32, 32), halo=(1, 4, 4), overlap=(1, 4, 4))
NM = (30.0, 12.0, 12.0)


def detector(folder: Path, method: Method) -> Checkpoint:
    config = NetworkConfig(in_channels=1, out_channels=1, widths=(4, 6))
    network = RSUNet(config)
    initialise(network, 3)
    card = ModelCard(name="d", method=method, network=config, resolution_nm=NM, patch_shape=(4, 16, 16))
    save_checkpoint(folder / "d", card, network)
    return load_checkpoint(folder / "d", ModelRole.DETECTOR)


def view(path: Path, array: NDArray[np.generic], kind: ViewKind) -> GridView:
    volume = Volume.create(path, shape=SHAPE, dtype=array.dtype, resolution_nm=NM)
    volume.write(volume.box, array)
    return GridView(volume, resolution_nm=NM, anchor_nm=(0.0, 0.0, 0.0), kind=kind)


def predictor(folder: Path, segmentation: NDArray[np.uint64], method: Method = Method.MASK) -> TilePredictor:
    image = np.random.default_rng(1).integers(0, 256, SHAPE).astype(np.uint8)
    checkpoint = detector(folder, method)
    return TilePredictor(
        network=CleftPredictor(checkpoint, torch.device("cpu")),
        image=view(folder / "image", image, ViewKind.IMAGE),
        segmentation=view(folder / "segmentation", segmentation, ViewKind.LABELS),
        lattice=TileLattice(SHAPE, TILES, checkpoint.card.network.multiple),
    )


@pytest.mark.parametrize(("method", "nothing"), [(Method.MASK, 0), (Method.STDT, 0), (Method.SIGNED_PROXIMITY, 128)])
def test_tiles_that_keep_only_background_hold_no_cleft(tmp_path: Path, method: Method, nothing: int) -> None:
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[5, 10, 12] = 9
    tiles = predictor(tmp_path, segmentation, method)
    cells = tiles.lattice.cells_overlapping(Box.of_shape(SHAPE))
    shown = []
    for cell, output in zip(cells, tiles.outputs(cells), strict=True):
        kept = tiles.lattice.kept_box(cell)
        assert output.shape == kept.shape
        assert output.dtype == np.uint8
        shown.append(kept.contains_point((5, 10, 12)))
        assert (output == nothing).all() != shown[-1]
    assert 0 < sum(shown) < len(shown)


def test_tiles_predict_the_same_alone_as_in_a_group(tmp_path: Path) -> None:
    tiles = predictor(tmp_path, np.ones(SHAPE, np.uint64))
    cells = tiles.lattice.cells_overlapping(Box.of_shape(SHAPE))
    for cell, output in zip(cells, tiles.outputs(cells), strict=True):
        assert np.array_equal(tiles.outputs([cell])[0], output)


def test_a_single_voxel_is_a_segment(tmp_path: Path) -> None:
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[8, 39, 69] = 1
    labels = view(tmp_path / "s", segmentation, ViewKind.LABELS)
    assert has_segments(labels, Box.of_shape(SHAPE))
    assert not has_segments(labels, Box((0, 0, 0), (8, 40, 70)))
    assert not has_segments(labels, Box((8, 39, 70), (12, 44, 80)))
