"""The confidence that a synapse is correct: its raw score, and a calibrated probability from a small logistic model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from connectome.partners.scores import Pair, Scores

FEATURES = (
    "cleft_mean",
    "cleft_max",
    "log_size",
    "pre_score",
    "post_score",
    "pre_margin",
    "post_margin",
    "pre_contact",
    "post_contact",
)
CERTAIN = 0.995  # scores are clipped here before their log-odds are taken
RIDGE = 1.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence for n synapses when their partners are chosen.

    Attributes:
        mean_score, max_score: float (n,), the detector's output over the clefts, in [0, 1].
        size_voxels: int64 (n,), of the clefts.
        pairs: float64 (n, 7), see `pair_evidence`.
    """

    mean_score: NDArray[np.floating]
    max_score: NDArray[np.floating]
    size_voxels: NDArray[np.int64]
    pairs: NDArray[np.float64]

    @property
    def score(self) -> NDArray[np.float64]:
        """Float64 (n,): mean cleft score times how likely the pair is, in [0, 1]."""
        return self.mean_score.astype(np.float64) * self.pairs[:, 0]

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Evidence:
        """Of the synapses at some places, or of those that a mask marks."""
        return Evidence(**{name: values[rows] for name, values in vars(self).items()})

    def features(self) -> NDArray[np.float64]:
        """The values (float64 (n, features)) of `FEATURES`; each makes a synapse likelier the greater it is.

        Scores as log-odds; the size's logarithm to base 10; margins between a partner's score and the next best
        candidate's in its role; the partners' shares of all contact.
        """
        cleft = [_log_odds(self.mean_score), _log_odds(self.max_score), np.log10(self.size_voxels)]
        return np.column_stack([*cleft, _log_odds(self.pairs[:, 1:3]), self.pairs[:, 3:]])


def pair_evidence(scores: Scores, contact_voxels: NDArray[np.integer], pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The evidence of one cleft's candidates for the chosen pairs.

    Args:
        scores: of all candidates.
        contact_voxels: (candidates,), of each with the dilated cleft.
        pairs: the m chosen ones.

    Returns:
        float64 (m, 7): how likely the assigner holds the pair, in [0, 1]; the scores of pre and post; how far each is
        above the best other candidate in its role; the shares of pre and post of all contact.
    """
    if not pairs:
        return np.zeros((0, 7))
    chosen = np.array(pairs)
    own = scores.of_pairs_at(chosen)
    likely = own[:, 0] if scores.by_pair else own.prod(1)
    roles = scores.roles.astype(np.float64)
    best = roles.argmax(1)
    second, first = np.sort(roles, 1)[:, -2:].T
    others = np.where(chosen == best, second, first)
    margins = np.stack([roles[0, chosen[:, 0]], roles[1, chosen[:, 1]]], 1) - others
    shares = contact_voxels / max(int(contact_voxels.sum()), 1)
    return np.column_stack([likely, own, margins, shares[chosen]])


@dataclass(frozen=True, kw_only=True)
class ConfidenceModel:
    """A logistic model on standardised features; no coefficient is negative, so better evidence never lowers it.

    Attributes:
        intercept, coefficients: of the standardised features, in the order of `FEATURES`.
        means, deviations: of the features it was fitted on.
        fitted_on: what it was fitted on: models, parameters, data, numbers.
    """

    intercept: float
    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    fitted_on: dict[str, Any] = field(default_factory=dict)

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability (n,) that each synapse is correct, from float features (n, len(FEATURES))."""
        scaled = (features - np.array(self.means)) / np.array(self.deviations)
        # each synapse by itself: the order of a sum must not depend on how many there are
        sums = np.matmul(scaled[:, None], np.array(self.coefficients)[:, None])[:, 0, 0]
        return np.asarray(expit(self.intercept + sums))

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the names of the features."""
        numbers = {name: list(getattr(self, name)) for name in ("coefficients", "means", "deviations")}
        return {"features": list(FEATURES), "intercept": self.intercept, **numbers, "fitted_on": self.fitted_on}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ConfidenceModel:
        """The inverse of `to_json`.

        Raises:
            ValueError: made for other features, or a number is missing. KeyError, TypeError: no such model at all.
        """
        if list(values["features"]) != list(FEATURES):
            raise ValueError("it was made for other features")
        lists = {name: tuple(map(float, values[name])) for name in ("coefficients", "means", "deviations")}
        if any(len(numbers) != len(FEATURES) for numbers in lists.values()):
            raise ValueError("it lacks numbers")
        return cls(intercept=float(values["intercept"]), fitted_on=dict(values.get("fitted_on", {})), **lists)


def fit_confidence(
    features: NDArray[np.floating],
    correct: NDArray[np.bool_],
    weights: NDArray[np.floating] | None = None,
    *,
    ridge: float = RIDGE,
    fitted_on: dict[str, Any] | None = None,
) -> ConfidenceModel:
    """The model of the greatest penalised likelihood; the same data gives the same model.

    Args:
        features: float (n, len(FEATURES)), see `Evidence.features`.
        correct: boolean (n,), both values present.
        weights: (n,) how much each synapse counts; None: 1 each.
        ridge: half of this times the squared coefficients is added to the summed loss; the intercept goes free.
        fitted_on: kept with the model.

    Raises:
        ValueError: all synapses are correct, or none is.
    """
    if correct.all() or not correct.any():
        raise ValueError("there must be correct synapses and wrong ones")
    weight = np.ones(len(correct)) if weights is None else np.asarray(weights, float)
    means = np.average(features, axis=0, weights=weight)
    deviations = np.sqrt(np.average((features - means) ** 2, axis=0, weights=weight))
    deviations = np.where(deviations > 1e-9, deviations, 1.0)
    scaled = (features - means) / deviations
    sign = np.where(correct, 1.0, -1.0)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (values[0] + scaled @ values[1:])
        slope = -weight * sign * expit(-margin)
        gradient = np.concatenate([[slope.sum()], scaled.T @ slope + ridge * values[1:]])
        return float((weight * np.logaddexp(0, -margin)).sum() + 0.5 * ridge * (values[1:] ** 2).sum()), gradient

    share = float(np.average(correct, weights=weight))
    start = np.concatenate([[math.log(share / (1 - share))], np.zeros(scaled.shape[1])])
    limits: Sequence[tuple[float | None, None]] = [(None, None)] + [(0.0, None)] * scaled.shape[1]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 1000, "ftol": 1e-13})
    return ConfidenceModel(
        intercept=float(found.x[0]),
        coefficients=tuple(found.x[1:].tolist()),
        means=tuple(means.tolist()),
        deviations=tuple(deviations.tolist()),
        fitted_on=fitted_on or {},
    )


def _log_odds(score: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(score.astype(np.float64), 1 - CERTAIN, CERTAIN)))
