"""`connectome volume` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from connectome.cli.volume import Format, Gaps, Preset
from connectome.formats import section_names
from connectome.formats.export import ExportFormat
from connectome.phantom import PhantomPreset
from connectome.volumes.volume import Volume

Cli = Callable[..., Result]


def labels(folder: Path, *ids: int) -> Path:
    array = np.zeros((4, 6, 8), np.uint64)
    array[0, 0, : len(ids)] = ids
    volume = Volume.create(folder, shape=array.shape, dtype=np.uint64, resolution_nm=(30, 12, 12), offset_nm=(0, 6, 0))
    volume.write(volume.box, array)
    return folder


def test_info_prints_what_a_volume_is_and_its_ids(cli: Cli, tmp_path: Path) -> None:
    result = cli("volume", "info", labels(tmp_path / "s.zarr", 7, 2**62))
    assert result.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines["shape"] == "4,6,8 voxels (zyx)"
    assert lines["dtype"] == "uint64"
    assert lines["format"] == "zarr3"
    assert lines["resolution"] == "30,12,12 nm"
    assert lines["offset"] == "0,6,0 nm"
    assert lines["ids"] == f"7 to {2**62}, 0 = background"


@pytest.mark.parametrize(
    ("ids", "lowest", "highest", "fit", "marks"),
    [
        ((7, 2**63 - 1), "7", str(2**63 - 1), True, False),
        ((7, 2**63), "7", str(2**63), False, False),
        ((7, 2**64 - 1, 2**64 - 2), "7", "7", False, True),
        ((), None, None, True, False),
    ],
)
def test_info_as_json_flags_ids_that_do_not_fit(
    cli: Cli, tmp_path: Path, ids: tuple[int, ...], lowest: str | None, highest: str | None, fit: bool, marks: bool
) -> None:
    result = cli("volume", "info", "--json", labels(tmp_path / "s.zarr", *ids))
    facts = json.loads(result.stdout)
    assert (facts["lowest_id"], facts["highest_id"]) == (lowest, highest)
    assert (facts["ids_fit"], facts["has_cremi_marks"]) == (fit, marks)
    assert facts["shape"] == [4, 6, 8]


def test_info_of_an_image_has_no_ids_and_takes_a_resolution(cli: Cli, tmp_path: Path) -> None:
    Volume.create(tmp_path / "i", shape=(2, 2, 2), dtype=np.uint8, resolution_nm=(1, 1, 1))
    facts = json.loads(cli("volume", "info", "--json", "--resolution", "30,12,12", tmp_path / "i").stdout)
    assert facts["resolution_nm"] == [30, 12, 12]
    assert "lowest_id" not in facts


def test_a_stack_becomes_a_volume(cli: Cli, tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", array)
    result = cli("volume", "import", "stack", tmp_path / "a.npy", tmp_path / "v", "--resolution", "30,12,12")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "v")
    volume = Volume.open(tmp_path / "v")
    np.testing.assert_array_equal(volume.read(volume.box), array)


def test_a_phantom_is_written_and_can_be_described(cli: Cli, tmp_path: Path) -> None:
    result = cli("volume", "phantom", tmp_path / "p", "--shape", "8,64,64", "--seed", "3")
    assert result.exit_code == 0
    names = sorted(path.name for path in (tmp_path / "p").iterdir())
    assert names == ["annotations.csv", "clefts.zarr", "neuron_ids.zarr", "raw.zarr"]
    assert json.loads(cli("volume", "info", "--json", tmp_path / "p" / "neuron_ids.zarr").stdout)["ids_fit"]


def test_an_insect_phantom_has_clefts_with_several_partners(cli: Cli, tmp_path: Path) -> None:
    flags = ["--shape", "24,128,128", "--seed", "4", "--preset", "insect", "--resolution", "30,14,14"]
    result = cli("volume", "phantom", tmp_path / "p", *flags)
    assert result.exit_code == 0, result.stderr
    lines = (tmp_path / "p" / "annotations.csv").read_text().splitlines()[1:]
    rows = [tuple(line.split(",")[:3]) for line in lines]
    assert len(rows) == len(set(rows)) > len({row[0] for row in rows}) > 0
    assert json.loads(cli("volume", "info", "--json", tmp_path / "p" / "raw.zarr").stdout)["resolution_nm"] == [
        30,
        14,
        14,
    ]


def test_the_command_offers_all_presets_of_phantoms() -> None:
    assert [preset.value for preset in Preset] == [preset.value for preset in PhantomPreset]


def test_real_data_is_imported_whole(cli: Cli, real_data: Path, tmp_path: Path) -> None:
    result = cli("volume", "import", "cremi", real_data / "ac3.hdf", tmp_path / "d")
    assert result.exit_code == 0
    assert [Path(line).name for line in result.stdout.split()] == [
        "raw.zarr",
        "neuron_ids.zarr",
        "clefts.zarr",
        "annotations.csv",
    ]
    assert "Mvoxel" in result.stderr
    assert len((tmp_path / "d" / "annotations.csv").read_text().splitlines()) == 161


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("info", "nothing"), 3, "the path doesn't exist"),
        (("info", "nothing", "--resolution", "30,12"), 3, "three numbers"),
        (("import", "cremi", "nothing.hdf", "d"), 3, "no file at nothing.hdf"),
        (("import", "stack", "nothing", "d", "--resolution", "30,12,12"), 3, "no TIFF, PNG"),
        (("import", "stack", "nothing", "d", "--resolution", "0,12,12"), 3, "greater than 0 nm"),
        (("phantom", "d", "--shape", "0,1,1"), 3, "greater than 0"),
        (("phantom", "d", "--resolution", "0.5,1,1"), 3, "between 1 and 100 nm"),
    ],
)
def test_wrong_input_is_one_line_on_stderr(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("volume", *arguments)
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_info_takes_an_offset_and_counts_places_without_a_unit_by_the_resolution(cli: Cli, tmp_path: Path) -> None:
    Volume.create(tmp_path / "i", shape=(2, 2, 2), dtype=np.uint8, resolution_nm=(1, 1, 1))
    found = cli("volume", "info", "--json", "--resolution", "30,12,12", "--offset", "60,0,-12", tmp_path / "i").stdout
    assert json.loads(found)["offset_nm"] == [60, 0, -12]


def test_a_volume_without_resolution_is_refused_with_the_option_that_helps(cli: Cli, tmp_path: Path) -> None:
    Volume.create(tmp_path / "i", shape=(2, 2, 2), dtype=np.uint8, resolution_nm=(1, 1, 1))
    metadata = tmp_path / "i" / "zarr.json"
    metadata.write_text(metadata.read_text().replace('"resolution"', '"other"'))
    result = cli("volume", "info", tmp_path / "i")
    assert result.exit_code == 3
    assert "carries no resolution" in result.stderr and "--resolution 30,12,12" in result.stderr


def test_a_stack_that_carries_no_resolution_is_refused_with_the_option_that_helps(cli: Cli, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4), np.uint8))
    result = cli("volume", "import", "stack", tmp_path / "a.npy", tmp_path / "v")
    assert result.exit_code == 3
    assert "--resolution 30,12,12" in result.stderr
    assert not (tmp_path / "v").exists()


def test_sections_with_gaps_and_axes_are_taken_as_the_options_say(cli: Cli, tmp_path: Path) -> None:
    array = np.arange(1, 121, dtype=np.uint8).reshape(5, 4, 6)
    np.save(tmp_path / "a.npy", array.transpose(2, 1, 0))
    flags = ["--resolution", "30,12,12"]
    assert cli("volume", "import", "stack", tmp_path / "a.npy", tmp_path / "v", *flags, "--axes", "xyz").exit_code == 0
    volume = Volume.open(tmp_path / "v")
    np.testing.assert_array_equal(volume.read(volume.box), array)
    (tmp_path / "s").mkdir()
    for z in (0, 1, 3, 4):
        Image.fromarray(array[z]).save(tmp_path / "s" / f"s{z}.png")
    refused = cli("volume", "import", "stack", tmp_path / "s", tmp_path / "g", *flags)
    assert refused.exit_code == 3
    assert "--gaps blank" in refused.stderr
    taken = cli("volume", "import", "stack", tmp_path / "s", tmp_path / "g", *flags, "--gaps", "blank")
    assert taken.exit_code == 0
    assert "1 of 5 sections are blank" in taken.stderr
    assert Volume.open(tmp_path / "g").grid.shape == (5, 4, 6)


def test_the_command_offers_all_ways_with_gaps() -> None:
    assert [gaps.value for gaps in Gaps] == [gaps.value for gaps in section_names.Gaps]


def test_missing_chunks_are_told_and_refused_if_asked(cli: Cli, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(1, 255, (4, 6, 8), dtype=np.uint8)
    volume = Volume.create(
        tmp_path / "i", shape=(4, 6, 8), dtype=np.uint8, resolution_nm=(30, 12, 12), chunk_shape=(4, 6, 4)
    )
    volume.write(volume.box, image)
    assert cli("volume", "info", "--refuse-missing", tmp_path / "i").exit_code == 0
    (tmp_path / "i" / "c" / "0" / "0" / "1").unlink()
    told = cli("volume", "info", tmp_path / "i")
    assert told.exit_code == 0
    assert "1 of 2 chunks not stored (at 0:4,0:6,4:8)" in told.stdout
    facts = json.loads(cli("volume", "info", "--json", tmp_path / "i").stdout)
    assert (facts["chunks"], facts["absent_chunks"], facts["blank_sections"]) == (2, 1, [])
    refused = cli("volume", "info", "--refuse-missing", tmp_path / "i")
    assert refused.exit_code == 3
    assert "isn't whole: 1 of 2 chunks" in refused.stderr


def test_a_volume_is_resampled_and_exported(cli: Cli, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(1, 255, (4, 6, 8), dtype=np.uint8)
    volume = Volume.create(tmp_path / "i", shape=(4, 6, 8), dtype=np.uint8, resolution_nm=(30, 6, 6))
    volume.write(volume.box, image)
    coarse = cli("volume", "resample", tmp_path / "i", tmp_path / "c", "--to", "30,12,12")
    assert coarse.exit_code == 0, coarse.stderr
    assert Volume.open(tmp_path / "c").grid.shape == (4, 3, 4)
    label = cli("volume", "resample", tmp_path / "i", tmp_path / "l", "--to", "30,12,12", "--labels")
    assert label.exit_code == 0, label.stderr
    found = Volume.open(tmp_path / "l")
    np.testing.assert_array_equal(found.read(found.box), image[:, 1::2, 1::2])
    for kind, name in (("precomputed", "p"), ("n5", "n"), ("tiff", "t.tif"), ("cremi", "c.hdf")):
        flags = ["--format", kind, "--box", "1:3,0:6,2:8"]
        result = cli("volume", "export", tmp_path / "i", tmp_path / name, *flags)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip() == str(tmp_path / name)
    found = Volume.open(tmp_path / "p")
    assert found.grid.offset_nm == (30, 0, 12)
    np.testing.assert_array_equal(found.read(found.box), image[1:3, :, 2:8])
    outside = cli("volume", "export", tmp_path / "i", tmp_path / "o", "--format", "n5", "--box", "0:9,0:1,0:1")
    assert outside.exit_code == 3


def test_the_command_offers_all_formats_of_export() -> None:
    assert [kind.value for kind in Format] == [kind.value for kind in ExportFormat]
