"""Annotations of neurons: one value a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from connectome.errors import TableError
from connectome.store.database import Database
from connectome.store.transfer.copying import merge_columns


def write_annotations(
    database: Database, roots_id: int, batches: Iterable[Mapping[str, NDArray[Any]]]
) -> dict[str, int]:
    """Write annotations in one transaction; what was said under the same label of a neuron is replaced.

    Args:
        database: where to write.
        roots_id: the version that the neurons belong to; 0: they are segments.
        batches: neuron_id int64, label and value texts; a neuron comes once a label.

    Returns:
        How many neurons got each label.

    Raises:
        TableError: a neuron comes twice under a label.
    """
    counts: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    with database.begin() as connection:
        for batch in batches:
            if len(batch["neuron_id"]):
                _require_new(batch, seen)
                merge_columns(connection, "annotation", {"roots_id": roots_id, **batch})
                counts.update(batch["label"].tolist())
    return dict(counts)


def _require_new(batch: Mapping[str, NDArray[Any]], seen: set[tuple[str, int]]) -> None:
    """Remember whom a batch names.

    Raises:
        TableError: somebody twice, in the batch or since an earlier one.
    """
    for label, neuron in zip(batch["label"].tolist(), batch["neuron_id"].tolist(), strict=True):
        if (label, neuron) in seen:
            raise TableError(f"the table names neuron {neuron} twice under '{label}': a neuron has one value a label")
        seen.add((label, neuron))
