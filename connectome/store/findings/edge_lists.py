"""Edge lists inside an import: staged as they are, then added up by pair, and neurons with names numbered."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from connectome.errors import TableError
from connectome.records import LARGEST_ID
from connectome.store.findings.imports import RunLoading
from connectome.store.schema.base import partition

NAME = "name"
STAGED = """
CREATE TEMPORARY TABLE staged_edge (
    pre text NOT NULL, post text NOT NULL, synapses bigint NOT NULL, size_voxels bigint, confidence double precision
) ON COMMIT DROP
"""
NUMBERED = "SELECT coalesce(bool_and(pre ~ '^[0-9]+$' AND post ~ '^[0-9]+$'), true) FROM staged_edge"
NEURONS = """
CREATE TEMPORARY TABLE staged_neuron ON COMMIT DROP AS
SELECT name, {id} AS neuron_id, {known} AS known
FROM (SELECT pre AS name FROM staged_edge UNION SELECT post FROM staged_edge) AS found {joined}
"""
KNOWN_NAMES = """
LEFT JOIN annotation a ON a.data_set_id = {data_set} AND a.roots_id = 0 AND a.label = 'name' AND a.value = found.name
"""
LARGEST = """
SELECT greatest(
    (SELECT max(neuron_id) FROM annotation WHERE data_set_id = :data_set),
    (SELECT max(greatest(pre_segment_id, post_segment_id)) FROM edge JOIN run USING (run_id)
     WHERE data_set_id = :data_set), 0)
"""
NUMBER_NEW = """
UPDATE staged_neuron s SET neuron_id = :largest + n.number
FROM (SELECT name, row_number() OVER (ORDER BY name COLLATE "C") AS number FROM staged_neuron WHERE neuron_id IS NULL) n
WHERE n.name = s.name
"""
TWICE = "SELECT name FROM staged_neuron GROUP BY name HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
WRITE_NAMES = """
INSERT INTO annotation (data_set_id, roots_id, neuron_id, label, value)
SELECT :data_set, 0, neuron_id, 'name', name FROM staged_neuron WHERE NOT known
"""
EDGES = """
INSERT INTO {edge} (run_id, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence,
                    unscored_count)
SELECT {run_id}, p.neuron_id, q.neuron_id, sum(synapses), coalesce(sum(size_voxels), 0),
       CASE WHEN count(DISTINCT confidence) = 1 THEN min(confidence)  -- as it was, to the last bit
            WHEN count(confidence) > 0
            THEN least(1.0, sum(confidence * synapses) / sum(synapses) FILTER (WHERE confidence IS NOT NULL)) END,
       coalesce(sum(synapses) FILTER (WHERE confidence IS NULL), 0)
FROM staged_edge JOIN staged_neuron p ON p.name = pre JOIN staged_neuron q ON q.name = post
GROUP BY p.neuron_id, q.neuron_id ORDER BY p.neuron_id, q.neuron_id
"""


@dataclass(frozen=True, kw_only=True)
class EdgeCounts:
    """The totals of an edge list.

    Attributes:
        named: whether its neurons have names, and so were numbered.
    """

    edges: int
    synapses: int
    neurons: int
    named: bool


class EdgeStaging:
    """The edge list of one import."""

    def __init__(self, loading: RunLoading) -> None:
        """Make the temporary table in the import's transaction."""
        self._loading = loading
        loading.connection.exec_driver_sql(STAGED)

    def write(self, lines: bytes) -> None:
        """Append CSV lines: pre, post, synapses, size_voxels, confidence."""
        cursor: Any = self._loading.connection.connection.cursor()
        cursor.copy_expert("COPY staged_edge FROM STDIN (FORMAT csv)", io.BytesIO(lines))

    def add_up(self) -> EdgeCounts:
        """Make the edges of the run.

        Raises:
            TableError: names can't be numbered.
        """
        run = self._loading.connection
        named = not run.scalar(text(NUMBERED))
        if named:
            self._number_names()
        else:
            run.exec_driver_sql(NEURONS.format(id="name::bigint", known="true", joined=""))
        run.exec_driver_sql("ANALYZE staged_edge; ANALYZE staged_neuron")
        edge = partition("edge", self._loading.run_id)
        edges = run.exec_driver_sql(EDGES.format(edge=edge, run_id=int(self._loading.run_id))).rowcount
        run.exec_driver_sql(f"ANALYZE {edge}")
        synapses = run.exec_driver_sql(f"SELECT coalesce(sum(synapse_count), 0) FROM {edge}").scalar()
        neurons = run.exec_driver_sql("SELECT count(DISTINCT neuron_id) FROM staged_neuron").scalar()
        return EdgeCounts(edges=edges, synapses=int(synapses or 0), neurons=int(neurons or 0), named=named)

    def _number_names(self) -> None:
        """Number the neurons by their names; one that the data set knows by its name keeps its number."""
        run = self._loading.connection
        key = {"data_set": self._loading.data_set_id}
        joined = KNOWN_NAMES.format(data_set=int(self._loading.data_set_id))
        known = NEURONS.format(id="a.neuron_id", known="a.neuron_id IS NOT NULL", joined=joined)
        run.exec_driver_sql(known)
        twice = run.scalar(text(TWICE))
        if twice is not None:
            raise TableError(f"the data set has several neurons named '{twice}': which of them is meant can't be told")
        largest = int(run.scalar(text(LARGEST), key) or 0)
        if largest > LARGEST_ID // 2:
            raise TableError(
                f"neurons with names are numbered after the largest id of their data set, and {largest} leaves no "
                "room: give them a data set of their own"
            )
        run.execute(text(NUMBER_NEW), {"largest": largest})
        run.execute(text(WRITE_NAMES), key)
