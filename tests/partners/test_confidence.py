from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from connectome.partners.confidence import FEATURES, ConfidenceModel, Evidence, fit_confidence, pair_evidence
from connectome.partners.scores import Scores

SCORES = Scores.of_roles(np.array([[0.9, 0.2, 0.1], [0.1, 0.7, 0.3]], np.float32))
EVIDENCE = Evidence(
    mean_score=np.array([0.8, 0.8]),
    max_score=np.array([0.95, 0.95]),
    size_voxels=np.array([1000, 1000]),
    pairs=pair_evidence(SCORES, np.array([60, 30, 10]), [(0, 1), (1, 2)]),
)


def sample(n: int = 2000) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Features, outcomes, and the probabilities that the outcomes were drawn with."""
    generator = np.random.default_rng(3)
    features = generator.normal(size=(n, len(FEATURES)))
    truth = 1 / (1 + np.exp(-(1.0 + 1.5 * features[:, 0] + 0.8 * features[:, 5])))
    return features, generator.random(n) < truth, truth


def test_the_raw_score_is_the_product_of_three_scores() -> None:
    assert EVIDENCE.score == pytest.approx(np.array([0.8 * 0.9 * 0.7, 0.8 * 0.2 * 0.3]), rel=1e-6)


def test_features_are_log_odds_margins_and_shares_of_contact() -> None:
    found, other = (dict(zip(FEATURES, row, strict=True)) for row in EVIDENCE.features().tolist())
    assert found["cleft_mean"] == pytest.approx(np.log(4))
    assert found["log_size"] == 3
    assert found["pre_margin"] == pytest.approx(0.7, abs=1e-6)
    assert found["post_margin"] == pytest.approx(0.4, abs=1e-6)
    assert (found["pre_contact"], found["post_contact"]) == (0.6, 0.3)
    # of a pair that isn't the best, the margins are below 0
    assert (other["pre_margin"], other["post_margin"]) == pytest.approx((-0.7, -0.4), abs=1e-6)


def test_certain_scores_have_finite_features() -> None:
    scores = Scores.of_roles(np.eye(2, dtype=np.float32))
    certain = replace(EVIDENCE, mean_score=np.ones(2), pairs=pair_evidence(scores, np.ones(2), [(0, 1), (1, 0)]))
    assert np.isfinite(certain.features()).all()


def test_a_fit_finds_the_probabilities_that_outcomes_were_drawn_with() -> None:
    features, correct, truth = sample()
    model = fit_confidence(features, correct)
    assert np.abs(model.probabilities(features) - truth).mean() < 0.03
    assert min(model.coefficients) >= 0
    assert fit_confidence(features, correct) == model


def test_better_evidence_never_lowers_the_probability() -> None:
    features, correct, _ = sample(60)
    model = fit_confidence(features, ~correct)
    for i in range(len(FEATURES)):
        better = features.copy()
        better[:, i] += 1.0
        assert (model.probabilities(better) >= model.probabilities(features)).all()


def test_a_probability_does_not_depend_on_the_synapses_beside_it() -> None:
    features, correct, _ = sample(300)
    model = fit_confidence(features, correct)
    alone = np.concatenate([model.probabilities(row[None]) for row in features])
    assert np.array_equal(model.probabilities(features), alone)


def test_the_weight_of_a_synapse_is_how_often_it_counts() -> None:
    features, correct, _ = sample(80)
    weights = np.where(np.arange(80) < 40, 2.0, 1.0)
    doubled = np.concatenate([np.arange(80), np.arange(40)])
    weighted = fit_confidence(features, correct, weights)
    repeated = fit_confidence(features[doubled], correct[doubled])
    assert weighted.probabilities(features) == pytest.approx(repeated.probabilities(features), abs=1e-4)


def test_a_model_survives_json_and_other_features_are_refused() -> None:
    features, correct, _ = sample(100)
    model = fit_confidence(features, correct, fitted_on={"detector": "mask", "n": 100})
    values = json.loads(json.dumps(model.to_json()))
    assert ConfidenceModel.from_json(values) == model
    with pytest.raises(ValueError, match="other features"):
        ConfidenceModel.from_json(values | {"features": ["size"]})
    with pytest.raises(ValueError, match="lacks numbers"):
        ConfidenceModel.from_json(values | {"means": [1.0]})


def test_data_without_a_wrong_synapse_can_not_be_fitted() -> None:
    with pytest.raises(ValueError, match="correct synapses and wrong ones"):
        fit_confidence(np.zeros((3, len(FEATURES))), np.ones(3, bool))
