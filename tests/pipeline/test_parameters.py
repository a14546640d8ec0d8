"""The table of a build's parameters: what is chosen, what is refused, what is recorded and shown."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from connectome.errors import ConfigError
from connectome.partners.assignment import AssignmentRules
from connectome.pipeline.chosen import rules_of
from connectome.pipeline.parameters import (
    AS_GIVEN,
    AXES,
    PARAMETERS,
    BuildParameters,
    check_parameters,
    chosen_values,
    shown_parameters,
)
from connectome.pipeline.request import OPTIONS, build_request, read_request

VOLUMES = {"image": "a", "segmentation": "b"}
NUMBERS = [option for option in OPTIONS.values() if option.above is not None or option.low is not None]


def test_what_nobody_says_is_the_default_of_the_table_and_the_rules_of_partners() -> None:
    assert chosen_values({}, {}) == asdict(BuildParameters())
    assert rules_of(BuildParameters()) == AssignmentRules()


def test_what_is_asked_for_wins_over_the_assigner_which_wins_over_the_detector() -> None:
    cards = {"detector": {"min_score": 0.1, "threshold": 0.4}, "assigner": {"min_score": 0.2}}
    chosen = chosen_values({"threshold": 0.9}, cards)
    assert (chosen["threshold"], chosen["min_score"]) == (0.9, 0.2)
    assert chosen_values({}, {"detector": cards["detector"]})["min_score"] == 0.1


def test_a_model_recommends_only_what_the_table_lets_its_role_recommend() -> None:
    assert chosen_values({}, {"assigner": {"threshold": 0.9}, "detector": {"dilation_nm": 9.0}}) == chosen_values(
        {}, {}
    )


@pytest.mark.parametrize(("asked", "contact"), [({}, 0.1), ({"polyadic": False}, 0.3), ({"min_contact": 0.7}, 0.7)])
def test_the_polyadic_mode_has_a_least_contact_of_its_own(asked: dict[str, Any], contact: float) -> None:
    card = {"polyadic": 1.0, "polyadic_min_contact": 0.1, "min_contact": 0.3}
    chosen = chosen_values(asked, {"assigner": card})
    assert chosen["min_contact"] == contact and chosen["polyadic"] is asked.get("polyadic", True)
    assert chosen_values({"polyadic": True}, {})["min_contact"] == 0.0


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.key)
def test_a_number_out_of_range_is_refused_with_its_name_its_value_and_the_range(option: Any) -> None:
    low, wrong = option.low if option.above is None else option.above, option.kind(-1)
    values = [wrong, *([option.kind(option.high + 1)] if option.high is not None else [])]
    if option.above is not None:
        values.append(option.kind(low))
    for value in values:
        with pytest.raises(ConfigError) as refused:
            build_request(VOLUMES | {option.name: value})
        for words in (option.words, str(value), option.range_text):
            assert words in str(refused.value)
    if option.kind is float:
        with pytest.raises(ConfigError):
            option.check(float("nan"))


def test_every_value_that_tuning_tries_is_one_that_a_build_takes() -> None:
    for name in AXES:
        for value in (*PARAMETERS[name].tried, *PARAMETERS[name].tried_polyadic):
            check_parameters({name: value})


def test_a_toml_file_fills_all_four_parts(tmp_path: Path) -> None:
    config = tmp_path / "build.toml"
    config.write_text(
        'image = "a"\nsegmentation = "b"\nname = "n"\nresolution = [30, 12.0, 12]\ndetector = "stdt"\nmin_size = 7\n'
        'normalisation = "70, 190"\nblock_shape = [16, 32, 64]\nconfidence = "c.json"\n'
    )
    request = read_request(config, {"threshold": 0.25})
    assert (request.name, request.volumes.resolution_nm) == ("n", (30.0, 12.0, 12.0))
    assert (request.models.detector, request.models.confidence) == ("stdt", Path("c.json"))
    assert request.parameters == {"threshold": 0.25, "min_size_voxels": 7, "normalisation": "70,190"}
    assert request.execution.block_shape == (16, 32, 64)


def test_a_threshold_is_shown_as_it_was_given_and_one_of_an_earlier_version_as_a_share() -> None:
    recorded = {"representation": "mask", "threshold": 178, "min_score": 0.1}
    assert shown_parameters(recorded)["threshold"] == 0.698
    shown = shown_parameters(recorded | {AS_GIVEN: {"threshold": 0.7}})
    assert shown == {"representation": "mask", "threshold": 0.7, "min_score": 0.1}
    assert shown_parameters({"source": "flywire"}) == {"source": "flywire"}


def test_a_build_may_name_its_data_set() -> None:
    assert build_request(VOLUMES).data_set is None
    assert build_request(VOLUMES | {"data_set": "mouse 1"}).data_set == "mouse 1"
