"""A small world for builds: volumes that exercise stitching, and networks that are quick and never trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from connectome.networks.architecture import NetworkConfig, PairClassifier, PairConfig, RSUNet, initialise
from connectome.networks.checkpoint import Method, ModelCard, Network, save_checkpoint
from connectome.pipeline.build import BuildSummary, build_volume
from connectome.pipeline.request import BuildRequest, build_request
from connectome.store.database import Database
from connectome.volumes.volume import Volume

SHAPE = (40, 100, 90)
RESOLUTION_NM = (30.0, 12.0, 12.0)
OFFSET_NM = (300.0, 120.0, 36.0)
PATCH_SHAPE = (6, 24, 24)


@dataclass(frozen=True)
class SmallWorld:
    """Paths of an image, a segmentation, a detector and an assigner."""

    folder: Path

    @property
    def image(self) -> Path:
        """uint8, smooth noise."""
        return self.folder / "raw.zarr"

    @property
    def segmentation(self) -> Path:
        """uint64, convex cells with gaps; ids up to 2^63 - 1."""
        return self.folder / "neuron_ids.zarr"

    @property
    def detector(self) -> Path:
        """A detector of dark places: hundreds of objects, many across any block border."""
        return self.folder / "detector.safetensors"

    @property
    def assigner(self) -> Path:
        """An assigner with random weights."""
        return self.folder / "assigner.safetensors"

    def pruner(self, method: Method) -> Path:
        """A pruner with random weights."""
        return self.folder / f"{method}.safetensors"

    def request(self, data_folder: Path, **changes: Any) -> BuildRequest:
        """A build of this world."""
        values: dict[str, Any] = {
            "image": str(self.image),
            "segmentation": str(self.segmentation),
            "detector": str(self.detector),
            "assigner": str(self.assigner),
            "data_folder": data_folder,
            "block_shape": (16, 64, 64),
            "min_size_voxels": 20,
            "threshold": 0.7,
            "name": "small",
        }
        return build_request(values | changes)


def make_small_world(folder: Path, representation: Method = Method.MASK) -> SmallWorld:
    """Write the volumes and the checkpoints; the detector's logits mean clefts in this representation."""
    generator = np.random.default_rng(0)
    smooth = gaussian_filter(generator.standard_normal(SHAPE), (1.0, 3.0, 3.0))
    image = np.clip(128 + smooth / smooth.std() * 40, 0, 255).astype(np.uint8)
    _write(folder / "raw.zarr", image)
    _write(folder / "neuron_ids.zarr", _cells(generator))
    _save(folder / "assigner.safetensors", Method.AVAN, RSUNet(_config(2, 2)))
    for method in (Method.MASK_PRUNER, Method.PROXIMITY_PRUNER):
        pruner = PairClassifier(PairConfig(widths=(4, 6)))
        initialise(pruner, 6)
        _save(folder / f"{method}.safetensors", method, pruner.eval())
    network = RSUNet(_config(1, 1))
    initialise(network, 5)
    _save(folder / "detector.safetensors", representation, network)
    return SmallWorld(folder)


def rows_of(database: Database, name: str) -> dict[str, NDArray[Any]]:
    """Everything a run found, in columns whose order doesn't depend on how it was built."""
    queries = {
        "cleft": "cleft_id, size_voxels, x_nm, y_nm, z_nm, start_x_nm, start_y_nm, start_z_nm, stop_x_nm, stop_y_nm, "
        "stop_z_nm, centre_z, centre_y, centre_x, mean_score, max_score",
        "candidate": "cleft_id, segment_id, contact_voxels, score",
        "synapse": "cleft_id, pre_segment_id, post_segment_id, number, pre_x_nm, post_y_nm, confidence",
        "edge": "pre_segment_id, post_segment_id, synapse_count, size_voxels",
    }
    found: dict[str, NDArray[Any]] = {}
    for table, names in queries.items():
        order = "cleft_id, segment_id, role" if table == "candidate" else "1, 2, 3"
        columns = database.columns(
            f"SELECT {names} FROM {table} WHERE run_id = (SELECT run_id FROM run WHERE name = :name) ORDER BY {order}",
            {"name": name},
        )
        found |= {f"{table}.{column}": values for column, values in columns.items()}
    return found


def assert_same_rows(first: dict[str, NDArray[Any]], second: dict[str, NDArray[Any]]) -> None:
    """Identical rows; scores of the networks within 1e-3."""
    assert first.keys() == second.keys()
    for name, values in first.items():
        if name in ("candidate.score", "synapse.confidence"):
            assert np.allclose(values, second[name], atol=1e-3), name
        else:
            assert np.array_equal(values, second[name]), name


def build(request: BuildRequest) -> tuple[BuildSummary, dict[str, NDArray[Any]], NDArray[np.uint64]]:
    """Build; the summary, the rows, the volume of cleft ids."""
    summary = build_volume(request)
    with Database.open(request.execution.database_url, request.execution.data_folder) as database:
        rows = rows_of(database, request.name)
    clefts = Volume.open(summary.folder / "clefts.zarr")
    return summary, rows, clefts.read(clefts.box)


def _config(channels_in: int, channels_out: int) -> NetworkConfig:
    return NetworkConfig(in_channels=channels_in, out_channels=channels_out, widths=(4, 6))


def _cells(generator: np.random.Generator) -> NDArray[np.uint64]:
    points = generator.random((60, 3)) * np.array(SHAPE)
    z, y, x = np.indices(SHAPE)
    distance = np.stack([((z - a) * 2.5) ** 2 + (y - b) ** 2 + (x - c) ** 2 for a, b, c in points])
    ids = np.arange(1, 61, dtype=np.uint64)
    ids[0] = 2**63 - 1
    nearest = np.sort(np.sqrt(distance), axis=0)[:2]
    return np.where(nearest[1] - nearest[0] < 1.0, np.uint64(0), ids[distance.argmin(0)])


def _write(path: Path, array: NDArray[Any]) -> None:
    volume = Volume.create(
        path, shape=SHAPE, dtype=array.dtype, resolution_nm=RESOLUTION_NM, offset_nm=OFFSET_NM, chunk_shape=(16, 32, 32)
    )
    volume.write(volume.box, array)


def _save(path: Path, method: Method, network: Network) -> None:
    if method is Method.AVAN:
        initialise(network, 6)
    card = ModelCard(
        name=method.role.value,
        method=method,
        network=network.config,
        resolution_nm=RESOLUTION_NM,
        patch_shape=PATCH_SHAPE,
    )
    save_checkpoint(path, card, network)
