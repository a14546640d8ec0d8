"""Volumes in formats that other tools read come back as they were."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorstore as ts
import tifffile
from numpy.typing import NDArray

from connectome.errors import DtypeError, InputError, ResolutionError, StorageError
from connectome.formats import export
from connectome.formats.cremi import import_cremi
from connectome.formats.export import ExportFormat, ExportRequest, Part, are_labels, export_volume
from connectome.formats.images import open_sections
from connectome.formats.stacks import import_stack
from connectome.geometry import Box
from connectome.volumes.address import as_url
from connectome.volumes.volume import Volume

SHAPE = (40, 70, 90)
RESOLUTION_NM, OFFSET_NM = (30.0, 13.0, 12.5), (300.0, -26.0, 25.0)
BOX = Box((3, 5, 7), (39, 70, 85))


def volume(folder: Path, dtype: str) -> Volume:
    values: NDArray[Any] = np.random.default_rng(1).integers(0, 200, SHAPE).astype(dtype)
    values = values * np.asarray({"uint64": 2**50, "float32": 0.5}.get(dtype, 1), dtype)
    made = Volume.create(folder / "v", shape=SHAPE, dtype=dtype, resolution_nm=RESOLUTION_NM, offset_nm=OFFSET_NM)
    made.write(made.box, values)
    return made


def exported(source: Volume, target: Path, kind: ExportFormat, box: Box | None = None, **how: Any) -> Path:
    request = ExportRequest(target=target, format=kind, labels=are_labels(source.dtype), **how)
    export_volume(Part(source, source.box if box is None else box), request)
    return target


def same(found: Volume, source: Volume, box: Box) -> None:
    assert found.dtype == source.dtype
    assert found.grid.shape == box.shape
    assert found.grid.resolution_nm == pytest.approx(RESOLUTION_NM)
    assert found.grid.offset_nm == pytest.approx(source.grid.corner_nm(box.start))
    np.testing.assert_array_equal(found.read(found.box), source.read(box))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "float32", "int32"])
@pytest.mark.parametrize("kind", [ExportFormat.PRECOMPUTED, ExportFormat.N5])
@pytest.mark.parametrize("box", [Box.of_shape(SHAPE), BOX])
def test_n5_and_precomputed_open_as_the_volume_that_they_were(
    kind: ExportFormat, dtype: str, box: Box, tmp_path: Path
) -> None:
    source = volume(tmp_path, dtype)
    same(Volume.open(exported(source, tmp_path / "out", kind, box)), source, box)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "float32"])
@pytest.mark.parametrize("name", ["out.tif", "sections"])
@pytest.mark.parametrize("box", [Box.of_shape(SHAPE), BOX])
def test_tiffs_come_back_in_their_place(name: str, dtype: str, box: Box, tmp_path: Path) -> None:
    source = volume(tmp_path, dtype)
    path = exported(source, tmp_path / name, ExportFormat.TIFF, box)
    with closing(open_sections(path)) as sections:
        import_stack(sections, tmp_path / "again")
    same(Volume.open(tmp_path / "again"), source, box)


def test_a_tiff_is_what_imagej_reads(tmp_path: Path) -> None:
    path = exported(volume(tmp_path, "uint8"), tmp_path / "out.tif", ExportFormat.TIFF)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.imagej_metadata is not None
        assert (tiff.imagej_metadata["slices"], tiff.imagej_metadata["unit"]) == (40, "nm")


def test_a_large_tiff_is_written_a_few_sections_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SLAB_BYTES", 3 * 70 * 90)
    source = volume(tmp_path, "uint8")
    read: list[Box] = []

    class Watched(Part):
        def read(self, box: Box) -> NDArray[Any]:
            read.append(box)
            return super().read(box)

    request = ExportRequest(target=tmp_path / "out.tif", format=ExportFormat.TIFF, labels=False)
    export_volume(Watched(source, source.box), request)
    assert {box.shape[0] for box in read} == {3, 1}
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), source.read(source.box))


def test_image_and_labels_go_into_one_cremi_file_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "i").mkdir()
    (tmp_path / "l").mkdir()
    image, labels = volume(tmp_path / "i", "uint8"), volume(tmp_path / "l", "uint64")
    path = tmp_path / "out.hdf"
    for source in (image, labels):
        exported(source, path, ExportFormat.CREMI, BOX)
    exported(labels, path, ExportFormat.CREMI, BOX, dataset="volumes/labels/clefts")
    written = import_cremi(path, tmp_path / "d")
    assert [item.name for item in written] == ["raw.zarr", "neuron_ids.zarr", "clefts.zarr"]
    for source, item in zip((image, labels, labels), written, strict=True):
        same(Volume.open(item), source, BOX)
    with pytest.raises(StorageError, match="holds volumes/raw already"):
        exported(image, path, ExportFormat.CREMI)
    exported(image, path, ExportFormat.CREMI, overwrite=True)
    with h5py.File(path) as file:
        assert file["volumes/raw"].shape == SHAPE
        assert "volumes/raw.partial" not in file


def test_labels_are_compressed_as_labels_in_a_precomputed_volume(tmp_path: Path) -> None:
    path = exported(volume(tmp_path, "uint64"), tmp_path / "out", ExportFormat.PRECOMPUTED)
    spec = ts.open(ts.Spec(as_url(path))).result().spec().to_json()
    assert spec["multiscale_metadata"]["type"] == "segmentation"
    assert spec["scale_metadata"]["encoding"] == "compressed_segmentation"


@pytest.mark.parametrize("kind", [ExportFormat.PRECOMPUTED, ExportFormat.N5, ExportFormat.TIFF])
def test_what_is_there_is_replaced_only_if_asked(kind: ExportFormat, tmp_path: Path) -> None:
    source = volume(tmp_path, "uint8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(StorageError, match="exists already"):
        exported(source, tmp_path / "out", kind)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
    exported(source, tmp_path / "out", kind, overwrite=True)
    assert not (tmp_path / "out" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("kind", "dtype", "offset_nm", "error"),
    [
        (ExportFormat.PRECOMPUTED, "uint8", (0, 6, 0), ResolutionError),
        (ExportFormat.PRECOMPUTED, "float64", (0, 0, 0), DtypeError),
        (ExportFormat.N5, "bool", (0, 0, 0), DtypeError),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_is_left(
    kind: ExportFormat, dtype: str, offset_nm: tuple[float, ...], error: type[InputError], tmp_path: Path
) -> None:
    how: dict[str, Any] = {"resolution_nm": (30, 12, 12), "offset_nm": offset_nm}
    source = Volume.create(tmp_path / "v", shape=(2, 3, 4), dtype=dtype, **how)
    with pytest.raises(error):
        exported(source, tmp_path / "out", kind)
    assert [item.name for item in tmp_path.iterdir()] == ["v"]


def test_floats_are_no_labels_of_a_cremi_file(tmp_path: Path) -> None:
    with pytest.raises(DtypeError, match="labels"):
        exported(volume(tmp_path, "float32"), tmp_path / "o.hdf", ExportFormat.CREMI, dataset="volumes/labels/clefts")
    assert not (tmp_path / "o.hdf").exists()
