"""Phantoms as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.errors import ConfigError
from connectome.phantom import PhantomConfig, PhantomPreset
from connectome.training.data.source import parse_phantom, phantom_text

VOXELS = st.integers(1, 9999)
NM = st.floats(1, 100).map(lambda v: round(v, 3))


@given(st.tuples(VOXELS, VOXELS, VOXELS), st.integers(0, 2**40), st.sampled_from(PhantomPreset), st.tuples(NM, NM, NM))
def test_what_is_written_is_read_again(
    shape: tuple[int, int, int], seed: int, preset: PhantomPreset, resolution_nm: tuple[float, float, float]
) -> None:
    config = PhantomConfig(shape=shape, seed=seed, preset=preset, resolution_nm=resolution_nm)
    assert parse_phantom(phantom_text(config)) == config


def test_usual_values_need_not_be_written() -> None:
    assert parse_phantom("phantom:64,512,512@seed=7") == PhantomConfig(shape=(64, 512, 512), seed=7)
    assert phantom_text(PhantomConfig(seed=7)) == "phantom:64,512,512@seed=7"
    insect = parse_phantom("phantom:8,64,64@seed=7:preset=insect:resolution=40,8,8")
    assert (insect.preset, insect.resolution_nm) == (PhantomPreset.INSECT, (40.0, 8.0, 8.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phantom:64,512@seed=7", "three numbers"),
        ("phantom:64,512,512.5@seed=7", "three numbers"),
        ("phantom:64,512,512", "must give the seed"),
        ("phantom:64,512,512@7", "must give the seed"),
        ("phantom:64,512,512@seed=7:seed=8", "each option once"),
        ("phantom:64,512,512@seed=-7", "whole number"),
        ("phantom:64,512,512@seed=x", "whole number"),
        ("phantom:64,512,512@seed=7:preset=fly", "choose cortex or insect"),
        ("phantom:64,512,512@seed=7:resolution=30,12", "three numbers"),
        ("phantom:64,512,512@seed=7:resolution=30,12,0", "between 1 and 100 nm"),
        ("phantom:64,512,512@seed=7:colour=red", "no option 'colour'"),
        ("phantom:0,512,512@seed=7", "at least 1 voxel"),
    ],
)
def test_other_text_is_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_phantom(text)
