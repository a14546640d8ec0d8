"""The models of a build: by name those that ship, by path any checkpoint."""

from __future__ import annotations

from pathlib import Path

from connectome.errors import CheckpointError
from connectome.networks.checkpoint import Checkpoint, Method, ModelRole, load_checkpoint
from connectome.weights.manifest import shipped_models

DEFAULTS = {ModelRole.DETECTOR: Method.MASK, ModelRole.ASSIGNER: Method.AVAN}


def known_names(role: ModelRole | None = None) -> list[str]:
    """The names of the shipped models of a role, or of all."""
    return [name for name, model in shipped_models().items() if role in (None, Method(model.method).role)]


def find_model(wanted: str, role: ModelRole | None = None) -> Path:
    """The checkpoint file of a name or a path.

    A text with a slash or a suffix is a path if a file lies there. Otherwise it is a shipped model's name, and if there
    is none of that name, a path.

    Args:
        wanted: what the user wrote.
        role: what the model is to serve as, if it matters.

    Raises:
        CheckpointError: neither; a shipped model of the other role.
    """
    path = Path(wanted).expanduser()
    is_path = "/" in wanted or path.suffix != ""
    if is_path and path.is_file():
        return path
    shipped = shipped_models().get(wanted)
    if shipped is not None:
        its_role = Method(shipped.method).role
        if role not in (None, its_role):
            raise CheckpointError(f"model '{wanted}' is no {role}, but {its_role}: known are {_listed(role)}")
        return shipped.path
    if path.is_file():
        return path
    if is_path:
        raise CheckpointError(f"no checkpoint at {path}: the file doesn't exist; models that ship: {_listed(role)}")
    kind = role or "model"
    raise CheckpointError(f"no {kind} is named '{wanted}': known are {_listed(role)}; or give a checkpoint's path")


def model_path(role: ModelRole, wanted: str | None) -> Path:
    """The checkpoint file to use for a role: that of a name or a path, else the default.

    Raises:
        CheckpointError: see `find_model`.
    """
    return find_model(wanted or DEFAULTS[role].value, role)


def load_model(role: ModelRole, wanted: str | None) -> Checkpoint:
    """Load a model by name or path; None: the default of its role.

    Raises:
        CheckpointError: no such model, or no checkpoint of this role.
    """
    return load_checkpoint(model_path(role, wanted), role)


def _listed(role: ModelRole | None) -> str:
    return ", ".join(known_names(role)) or "none"
