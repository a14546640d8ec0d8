"""Annotations of neurons: one value a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import text

from connectome.store.database import Database
from connectome.store.transfer.copying import merge_columns

IN_RUNS = """
SELECT count(DISTINCT neuron_id) FROM annotation a
WHERE data_set_id = :data_set_id AND roots_id = :roots_id AND label = ANY(:labels) AND (
    EXISTS (SELECT FROM edge e WHERE e.run_id = ANY(:runs) AND :roots_id = 0 AND e.pre_segment_id = a.neuron_id)
    OR EXISTS (SELECT FROM edge e WHERE e.run_id = ANY(:runs) AND :roots_id = 0 AND e.post_segment_id = a.neuron_id)
    OR EXISTS (SELECT FROM root_edge e WHERE e.run_id = ANY(:runs) AND e.roots_id = :roots_id
               AND e.pre_root_id = a.neuron_id)
    OR EXISTS (SELECT FROM root_edge e WHERE e.run_id = ANY(:runs) AND e.roots_id = :roots_id
               AND e.post_root_id = a.neuron_id))
"""
NAMES = """
SELECT value, min(neuron_id) AS neuron_id FROM annotation
WHERE data_set_id = :data_set_id AND roots_id = :roots_id AND label = 'name' GROUP BY value HAVING count(*) = 1
"""
RUNS = "SELECT run_id FROM run WHERE data_set_id = :data_set_id AND state = 'finished'"


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """What was written: how many neurons got each label, and how many neurons of any label the runs hold."""

    labels: dict[str, int]
    in_runs: int


def neuron_names(database: Database, data_set_id: int, roots_id: int) -> dict[str, int]:
    """The ids of the neurons that have a name: those of a label `name`. A name that several have isn't among them."""
    found = database.columns(NAMES, {"data_set_id": data_set_id, "roots_id": roots_id})
    return dict(zip(found["value"].tolist(), found["neuron_id"].tolist(), strict=True))


def write_annotations(
    database: Database, data_set_id: int, roots_id: int, batches: Iterable[Mapping[str, NDArray[Any]]]
) -> Annotated:
    """Write annotations in one transaction; what was said under the same label of a neuron is replaced.

    Args:
        database: where to write.
        data_set_id: the data set that the neurons belong to.
        roots_id: the version that the neurons belong to; 0: they are segments.
        batches: neuron_id int64, label and value texts; a neuron comes once a label.
    """
    counts: Counter[str] = Counter()
    key = {"data_set_id": data_set_id, "roots_id": roots_id}
    with database.begin() as connection:
        for batch in batches:
            merge_columns(connection, "annotation", {**key, **batch})
            counts.update(batch["label"].tolist())
        connection.execute(text("ANALYZE annotation"))  # or the planner takes types for few, and loops over all edges
        runs = list(connection.scalars(text(RUNS), {"data_set_id": data_set_id}))
        found = connection.scalar(text(IN_RUNS), {**key, "runs": runs, "labels": list(counts)})
    return Annotated(labels=dict(counts), in_runs=found or 0)
