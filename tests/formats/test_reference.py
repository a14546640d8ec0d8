"""References in CREMI files and in folders."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from connectome.errors import ReferenceDataError, VolumeFormatError, VolumeNotFoundError
from connectome.formats.cremi import import_cremi
from connectome.formats.opening import open_reference
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box
from connectome.phantom import PhantomConfig, write_phantom
from connectome.records import ReferenceSynapse

Maker = Callable[..., Path]


def pairs(synapses: list[ReferenceSynapse]) -> list[tuple[int, int, int, int]]:
    return [(s.cleft_id, s.pre_segment_id, s.post_segment_id, s.size_voxels) for s in synapses]


def replace(file: h5py.File, name: str, value: Any) -> None:
    attributes = dict(file[name].attrs)
    del file[name]
    file[name] = value
    file[name].attrs.update(attributes)


def edit(name: str, edited: Callable[[Any], Any]) -> Callable[[h5py.File], None]:
    return lambda file: replace(file, name, edited(file[name][()]))


def remove(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def test_pairs_get_the_segments_at_their_points_and_the_cleft_between_them(cremi_file: Maker) -> None:
    synapses = open_reference(cremi_file()).synapses()
    assert pairs(synapses) == [(11, 5, 6, 16), (12, 6, 5, 16)]
    assert synapses[0].centroid_voxel == (2.5, 6.5, 19.5)


def test_labels_are_read_in_a_box_with_background_beyond_the_border(cremi_file: Maker) -> None:
    reference = open_reference(cremi_file())
    labels = reference.read_clefts(Box((-1, 4, 19), (13, 6, 21)))
    assert labels.dtype == np.uint64
    assert (labels[0] == BACKGROUND).all()
    assert (labels[3, 1] == 11).all()
    assert (labels[11:13] == IGNORE).all()
    assert (labels[13] == BACKGROUND).all()


def test_real_pairs_find_the_clefts_that_the_table_links_them_to(real_data: Path) -> None:
    synapses = open_reference(real_data / "ac3.hdf").synapses()
    with (real_data / "ac3_synapses.csv").open(newline="") as file:
        rows = [
            {key: int(row[key]) for key in ("cleft_id", "pre", "post", "size_voxels")} for row in csv.DictReader(file)
        ]
    expected = sorted((row["cleft_id"], row["pre"], row["post"], row["size_voxels"]) for row in rows)
    assert pairs(synapses) == expected
    assert len(synapses) == 160


def test_an_imported_folder_and_its_file_are_the_same_reference(cremi_file: Maker, tmp_path: Path) -> None:
    path = cremi_file()
    import_cremi(path, tmp_path / "d")
    file, folder = open_reference(path), open_reference(tmp_path / "d")
    assert folder.grid == file.grid
    assert folder.synapses() == file.synapses()
    box = file.grid.box.grow((1, 1, 1))
    np.testing.assert_array_equal(folder.read_clefts(box), file.read_clefts(box))


def test_a_phantoms_folder_is_a_reference_whose_centroids_lie_in_its_clefts(tmp_path: Path) -> None:
    write_phantom(PhantomConfig(shape=(24, 160, 160), bouton_spacing_nm=1200), tmp_path / "p")
    reference = open_reference(tmp_path / "p")
    labels = reference.read_clefts(reference.grid.box)
    assert reference.synapses()
    for synapse in reference.synapses():
        voxels = np.argwhere(labels == synapse.cleft_id)
        assert len(voxels) == synapse.size_voxels
        np.testing.assert_allclose(voxels.mean(axis=0), synapse.centroid_voxel, atol=1e-3)


def test_locations_are_relative_to_the_annotations_offset_and_labels_to_their_own(cremi_file: Maker) -> None:
    def pad(file: h5py.File) -> None:
        file["annotations"].attrs["offset"] = (300.0, 120.0, 240.0)
        for name in ("neuron_ids", "clefts"):
            file[f"volumes/labels/{name}"].attrs["offset"] = (300.0, 120.0, 240.0)

    reference = open_reference(cremi_file(pad))
    assert reference.grid.offset_nm == (300, 120, 240)
    assert pairs(reference.synapses()) == [(11, 5, 6, 16), (12, 6, 5, 16)]


def test_missing_offsets_are_zero_and_types_may_be_text_of_fixed_length(cremi_file: Maker) -> None:
    def change(file: h5py.File) -> None:
        del file["volumes/labels/clefts"].attrs["offset"]
        replace(file, "annotations/types", np.array([b"presynaptic_site", b"postsynaptic_site"] * 2, "S20"))

    assert len(open_reference(cremi_file(change)).synapses()) == 2


def test_a_point_on_background_takes_the_nearest_segment(cremi_file: Maker) -> None:
    def clear(segments: Any) -> Any:
        segments[:, 5:10, 15:22] = 0
        return segments

    assert pairs(open_reference(cremi_file(edit("volumes/labels/neuron_ids", clear))).synapses())[0][1:3] == (5, 6)


def test_a_point_far_from_any_segment_is_refused(cremi_file: Maker) -> None:
    change = edit("volumes/labels/neuron_ids", lambda segments: segments * 0)
    with pytest.raises(ReferenceDataError, match=r"annotation 1 .* has no segment within 60 nm"):
        open_reference(cremi_file(change)).synapses()


def test_a_point_outside_the_segmentation_is_refused(cremi_file: Maker) -> None:
    change = edit("annotations/locations", lambda points: points - (0, 1200, 0))
    with pytest.raises(ReferenceDataError, match=r"annotation 1 .* lies outside"):
        open_reference(cremi_file(change)).synapses()


def test_a_second_pair_at_one_cleft_shares_it(cremi_file: Maker) -> None:
    def change(file: h5py.File) -> None:
        edit("volumes/labels/clefts", lambda labels: np.where(labels == 12, BACKGROUND, labels))(file)

    synapses = open_reference(cremi_file(change)).synapses()
    assert pairs(synapses) == [(11, 5, 6, 16), (11, 6, 5, 16)]


def test_a_pair_without_any_cleft_in_reach_stays_as_a_synapse_of_no_voxels(cremi_file: Maker) -> None:
    def stretch(file: h5py.File) -> None:
        edit("volumes/labels/clefts", lambda labels: np.where(labels == 12, BACKGROUND, labels))(file)
        for name in ("raw", "labels/neuron_ids", "labels/clefts"):
            file[f"volumes/{name}"].attrs["resolution"] = (30.0, 120.0, 12.0)
        edit("annotations/locations", lambda points: points * (1, 10, 1))(file)

    synapses = open_reference(cremi_file(stretch)).synapses()
    assert pairs(synapses) == [(11, 5, 6, 16), (12, 6, 5, 0)]
    assert synapses[1].centroid_voxel == (2.5, 26.5, 19.0)


@pytest.mark.parametrize("background", [0, BACKGROUND])
def test_zero_is_a_cleft_only_beside_cremis_background(cremi_file: Maker, background: int) -> None:
    def change(labels: Any) -> Any:
        cleft = 0 if background else 11
        return np.where(labels == BACKGROUND, np.uint64(background), np.where(labels == 11, np.uint64(cleft), labels))

    synapses = open_reference(cremi_file(edit("volumes/labels/clefts", change))).synapses()
    assert [s.cleft_id for s in synapses] == ([0, 12] if background else [11, 12])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("volumes/labels/clefts"), "has no volumes/labels/clefts"),
        (remove("volumes/labels/neuron_ids"), "has no volumes/labels/neuron_ids"),
        (remove("annotations"), "no annotated partners"),
        (remove("annotations/presynaptic_site"), "has no annotations/presynaptic_site/partners"),
        (remove("annotations/types"), "has no annotations/types"),
        (edit("annotations/presynaptic_site/partners", lambda partners: partners[:0]), "no annotated partners"),
        (
            edit("annotations/presynaptic_site/partners", lambda partners: partners + 1),
            "annotation 2 is a postsynaptic",
        ),
        (edit("annotations/presynaptic_site/partners", lambda partners: partners + 10), "isn't in annotations/ids"),
        (edit("annotations/ids", lambda ids: ids[:3]), "don't fit each other"),
        (edit("annotations/ids", lambda ids: ids * 0), "twice"),
        (edit("volumes/labels/clefts", lambda labels: labels.astype(float)), "labels are integers"),
        (edit("volumes/labels/clefts", lambda labels: labels * 0), "holds no cleft"),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_named(
    cremi_file: Maker, change: Callable[[h5py.File], None], message: str
) -> None:
    with pytest.raises(ReferenceDataError, match=message):
        open_reference(cremi_file(change)).synapses()


def test_no_file_another_file_and_an_empty_folder_are_no_references(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError, match="doesn't exist"):
        open_reference(tmp_path / "none.hdf")
    (tmp_path / "a.hdf").write_text("text")
    with pytest.raises(VolumeFormatError, match="not an HDF5 file"):
        open_reference(tmp_path / "a.hdf")
    with pytest.raises(ReferenceDataError, match=r"has no clefts\.zarr"):
        open_reference(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cleft_id,pre\n", "no column pre_segment_id"),
        (None, "has no synapse"),
        ("x" + ",1" * 12, "line 2"),
        ("11,,," + ",1" * 9, "lacks its cleft or partners"),
    ],
)
def test_a_broken_table_is_refused(cremi_file: Maker, tmp_path: Path, text: str | None, message: str) -> None:
    import_cremi(cremi_file(), tmp_path / "d")
    table = tmp_path / "d" / "annotations.csv"
    header = table.read_text().splitlines()[0]
    table.write_text(text if text and text.startswith("cleft_id") else f"{header}\n{text or ''}\n".rstrip("\n") + "\n")
    with pytest.raises(ReferenceDataError, match=message):
        open_reference(tmp_path / "d").synapses()
