"""Whatever comes from outside ends well: with a value, or with an error of this project and a documented exit code.

Short in CI; `make fuzz` tries thousands.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from typer.testing import Result

from connectome.credentials import without_credentials
from connectome.errors import CheckpointError, ConnectomeError
from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Method, ModelCard, load_checkpoint, read_card, save_checkpoint
from connectome.pipeline.request import read_request
from connectome.store.address import shown, without_password
from connectome.tables.reading import column_names
from connectome.volumes.volume import Volume

Cli = Callable[..., Result]
EXAMPLES = int(os.environ.get("CONNECTOME_FUZZ_EXAMPLES", "25"))
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 130}
LONGEST_S = 60.0
fuzz = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)

CARD = ModelCard(
    name="small",
    method=Method.MASK,
    network=NetworkConfig(in_channels=1, out_channels=1, widths=(4, 6)),
    resolution_nm=(30.0, 12.0, 12.0),
    patch_shape=(4, 16, 16),
)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=6,
)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
SECRET = st.text("abcXYZ019_-", min_size=8, max_size=20)


def changed(values: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy of nested values, one of which is another."""
    first, *rest = path
    inner = values.get(first)
    return values | {first: changed(inner, rest, value) if rest and isinstance(inner, dict) else value}


FIELDS = [[key] for key in json.loads(CARD.to_json())] + [
    [part, key] for part in ("network", "normalisation") for key in json.loads(CARD.to_json())[part]
]


@fuzz
@given(path=st.sampled_from(FIELDS), value=JSON)
@example(path=["network"], value=[])
@example(path=["network", "widths"], value=[10**9])
@example(path=["network", "widths"], value=7)
@example(path=["resolution_nm"], value=[float("nan")] * 3)
@example(path=["resolution_nm"], value=3)
@example(path=["patch_shape"], value=[1, 2])
@example(path=["parameters"], value=[])
@example(path=["parameters"], value={"threshold": "x"})
@example(path=["method"], value={})
@example(path=["name"], value=None)
def test_a_checkpoint_whose_header_holds_anything(tmp_path: Path, path: list[str], value: Any) -> None:
    header = json.dumps(changed(json.loads(CARD.to_json()), path, value))
    save_file({"a": torch.zeros(2)}, tmp_path / "model", {"connectome": header})
    try:
        card = read_card(tmp_path / "model")
    except CheckpointError as error:
        assert "is not a checkpoint" in str(error)
    else:
        assert isinstance(card.name, str) and all(0 < side < 1e7 for side in card.resolution_nm)
        with pytest.raises(CheckpointError):
            load_checkpoint(tmp_path / "model", card.role)


@pytest.mark.parametrize("header", ["", "[]", "3", "null", "{", '{"format": 1}', "[" * 100_000])
def test_a_checkpoint_whose_header_is_no_card(tmp_path: Path, header: str) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "model", {"connectome": header})
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        read_card(tmp_path / "model")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_checkpoint_whose_weights_are_no_numbers(tmp_path: Path, value: float) -> None:
    network = RSUNet(CARD.network)
    initialise(network, 0)
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = value
    save_checkpoint(tmp_path / "model", CARD, network)
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        load_checkpoint(tmp_path / "model", CARD.role)


@fuzz
@given(key=WORDS | st.sampled_from(["image", "threshold", "box", "block_shape", "name", "workers"]), value=JSON)
def test_a_configuration_that_holds_anything(tmp_path: Path, key: str, value: Any) -> None:
    config = tmp_path / "build.toml"
    config.write_text(f"{json.dumps(key)} = {json.dumps(value)}\n")
    try:
        read_request(config, {"image": "a", "segmentation": "b"})
    except ConnectomeError as error:
        assert str(error)


@fuzz
@given(content=st.binary(max_size=300), suffix=st.sampled_from([".csv", ".csv.gz", ".tsv", ".parquet", ".feather"]))
def test_a_table_of_any_bytes(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"table{suffix}").write_bytes(content)
    try:
        column_names(tmp_path / f"table{suffix}")
    except ConnectomeError as error:
        assert "table" in str(error)


@fuzz
@given(secret=SECRET, user=SECRET, path=st.text("abc/._|:", max_size=20), name=st.sampled_from(["token", "sig", "key"]))
def test_a_url_that_is_shown_holds_no_secret(secret: str, user: str, path: str, name: str) -> None:
    for url in (
        f"https://{user}:{secret}@host/{path}",
        f"https://host/v?{name}={secret}|{path}",
        f"precomputed://s3://{user}:{secret}@bucket/{path}?{name}={secret}",
    ):
        for text in (without_credentials(url), str(ConnectomeError(f"{url} can't be read at '{url}'"))):
            assert secret not in text.replace(path, "") and without_credentials(text) == text
    database = f"postgresql://ann:{secret}@host:5433/brain?sslpassword={secret}"
    assert secret not in shown(database) + without_password(database)


@fuzz
@given(attributes=JSON, name=st.sampled_from([".zattrs", ".zarray", "zarr.json", "attributes.json", "info"]))
def test_a_volume_whose_metadata_hold_anything(tmp_path: Path, attributes: Any, name: str) -> None:
    place = tmp_path / "volume"
    place.mkdir(exist_ok=True)
    for file in place.iterdir():
        file.unlink()
    (place / name).write_text(json.dumps(attributes))
    with pytest.raises(ConnectomeError):
        Volume.open(place)


@fuzz
@given(
    command=st.sampled_from(
        [("runs", "show"), ("volume", "info"), ("models", "show"), ("build", "volume"), ("query",)]
    ),
    words=st.lists(WORDS | st.sampled_from(["--box", "--name", "--run", "--image", "--threshold", "-1", "x" * 300])),
)
def test_a_command_line_of_any_words(cli: Cli, tmp_path: Path, command: tuple[str, ...], words: list[str]) -> None:
    before = time.monotonic()
    folder = tmp_path / "named"
    result = cli(*command, *words, CONNECTOME_DATA_FOLDER=str(folder))
    assert result.exit_code in EXIT_CODES and time.monotonic() - before < LONGEST_S
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
    assert {item.name for item in tmp_path.iterdir()} <= {"named"}
