"""`connectome calibrate`: a model of confidence from annotated volumes, and how far it holds elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError
from connectome.evaluate.calibration import Binning, ReliabilityBin, expected_calibration_error, reliability
from connectome.models.assigners import store_confidence, write_confidence
from connectome.partners.confidence import ConfidenceModel, fit_confidence
from connectome.pipeline.parameters import AXES
from connectome.plots.reliability import draw_reliability
from connectome.records import NoProgress, Progress
from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes, OpenVolume, open_volume
from connectome.tuning.grid import ParameterGrid
from connectome.tuning.grid_scoring import JudgedSynapses, VolumeScorer
from connectome.tuning.kept_outputs import KeptOutputs


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The confidences of synapses that the model didn't see: float64 (n,), and whether they are correct."""

    name: str
    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]

    @classmethod
    def together(cls, name: str, parts: Sequence[Checked]) -> Checked:
        """All of them as one."""
        confidence = np.concatenate([np.zeros(0), *(part.confidence for part in parts)])
        return cls(
            name=name, confidence=confidence, correct=np.concatenate([np.zeros(0, bool), *(p.correct for p in parts)])
        )

    def error(self, binning: Binning = Binning.EQUAL_WIDTH) -> float:
        """The expected calibration error."""
        return expected_calibration_error(self.confidence, self.correct, binning)

    def to_json(self) -> dict[str, Any]:
        """The numbers that a report needs."""
        return {
            "name": self.name,
            "n": len(self.correct),
            "correct": int(self.correct.sum()),
            "mean_confidence": float(self.confidence.mean()) if len(self.confidence) else None,
            **{f"ece_{binning.value.replace('-', '_')}": self.error(binning) for binning in Binning},
        }

    def bins(self) -> list[ReliabilityBin]:
        """The bins of equal width of its reliability diagram."""
        return reliability(self.confidence, self.correct, Binning.EQUAL_WIDTH)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A fitted model.

    Attributes:
        left_out: each volume, judged by a model of the others (none with one volume).
        raw: the same synapses with their raw scores as confidence.
        checks: the volumes that it wasn't fitted on.
    """

    model: ConfidenceModel
    left_out: tuple[Checked, ...]
    raw: Checked
    checks: tuple[Checked, ...]

    def summaries(self) -> list[Checked]:
        """The rows of a report: raw scores, each volume left out, all of them, each check, all of them."""
        shown = [self.raw, *self.left_out]
        shown += [Checked.together("all left out", self.left_out)] if len(self.left_out) > 1 else []
        shown += self.checks
        return shown + ([Checked.together("all checks", self.checks)] if len(self.checks) > 1 else [])


def calibrate(
    on: AnnotatedVolumes, checks: Sequence[AnnotatedVolume] = (), progress: Progress | None = None
) -> Calibration:
    """Fit a model of confidence to judged synapses.

    Args:
        on: what to fit on; a synapse counts by its volume's weight.
        checks: volumes that the model isn't fitted on.
        progress: is told how far it is.

    Raises:
        ReferenceDataError: the volumes have no correct synapse, or no wrong one.
        InputError, CheckpointError, DeviceError, StorageError: a volume or a model doesn't do.
    """
    shown = progress or NoProgress()
    opened = [open_volume(volume, on.build) for volume in (*on.volumes, *checks)]
    scorers = [VolumeScorer(one, KeptOutputs(one, on.outputs, shown), ParameterGrid({})) for one in opened]
    judged = [scorer.judged({}) for scorer in scorers]
    n = len(on.volumes)
    names = [one.volume.name for one in opened]
    weights = [volume.weight for volume in on.volumes]
    model = _fit(judged[:n], weights, _fitted_on(opened[0], names[:n], judged[:n]))
    return Calibration(
        model=model,
        left_out=tuple(_left_out(names[:n], judged[:n], weights)),
        raw=Checked(
            name="raw scores",
            confidence=np.concatenate([one.score for one in judged[:n]]),
            correct=np.concatenate([one.correct for one in judged[:n]]),
        ),
        checks=tuple(_check(model, name, one) for name, one in zip(names[n:], judged[n:], strict=True)),
    )


def save_calibration(calibration: Calibration, on: AnnotatedVolumes, path: Path, *, store: bool = False) -> list[Path]:
    """Write the model as JSON and its reliability diagrams as PNG.

    Args:
        calibration: what was fitted.
        on: what it was fitted on.
        path: the JSON file; the diagram goes beside it.
        store: also put the model into the assigner's own file.

    Returns:
        The files that were written.

    Raises:
        StorageError: one can't be written. ConfigError: partners are chosen by contact, so no file can keep the model.
    """
    plot = path.with_name(path.stem + "-reliability.png")
    write_confidence(calibration.model, path)
    left_out = Checked.together("each volume by a model of the others", calibration.left_out)
    shown = {"raw scores": calibration.raw.bins()}
    shown |= {left_out.name: left_out.bins()} if calibration.left_out else {}
    shown |= {"not fitted on": Checked.together("", calibration.checks).bins()} if calibration.checks else {}
    draw_reliability(shown, plot)
    if not store:
        return [path, plot]
    inputs = open_volume(on.volumes[0], on.build).inputs
    return [path, plot, store_confidence(calibration.model, inputs.detector, inputs.assigner)]


def _fit(
    judged: Sequence[JudgedSynapses], weights: Sequence[float], fitted_on: dict[str, Any] | None = None
) -> ConfidenceModel:
    correct = np.concatenate([one.correct for one in judged])
    if correct.all() or not correct.any():
        raise ReferenceDataError(
            f"{int(correct.sum())} of the {len(correct)} synapses that count are correct: a model of confidence needs "
            "correct ones and wrong ones; add volumes, or lower the threshold"
        )
    features = np.concatenate([one.features for one in judged if len(one.correct)])
    each = np.concatenate([np.full(len(one.correct), weight) for one, weight in zip(judged, weights, strict=True)])
    return fit_confidence(features, correct, each, fitted_on=fitted_on)


def _left_out(names: Sequence[str], judged: Sequence[JudgedSynapses], weights: Sequence[float]) -> list[Checked]:
    """Each volume by a model of the others, where the others have correct and wrong synapses."""
    found = []
    for i, (name, one) in enumerate(zip(names, judged, strict=True)):
        others = [j for j in range(len(judged)) if j != i]
        correct = np.concatenate([np.zeros(0, bool), *(judged[j].correct for j in others)])
        if correct.any() and not correct.all():
            model = _fit([judged[j] for j in others], [weights[j] for j in others])
            found.append(_check(model, name, one))
    return found


def _check(model: ConfidenceModel, name: str, judged: JudgedSynapses) -> Checked:
    confidence = model.probabilities(judged.features) if len(judged.correct) else np.zeros(0)
    return Checked(name=name, confidence=confidence, correct=judged.correct)


def _fitted_on(opened: OpenVolume, names: Sequence[str], judged: Sequence[JudgedSynapses]) -> dict[str, Any]:
    """The facts that are kept with the model: which networks, which parameters, which synapses."""
    assigner = opened.inputs.assigner
    models = {"detector": opened.inputs.detector} | ({"assigner": assigner.checkpoint} if assigner.checkpoint else {})
    return {
        "assigner_method": assigner.method,
        **{role: {"name": m.card.name, "weights_sha256": m.weights_sha256} for role, m in models.items()},
        "parameters": {name: getattr(opened.parameters, name) for name in AXES},
        "volumes": {
            name: {"synapses": len(one.correct), "correct": int(one.correct.sum())}
            for name, one in zip(names, judged, strict=True)
        },
    }
