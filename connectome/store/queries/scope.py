"""A filter as SQL: the common table expressions that every query begins with.

    chosen   the synapses that the filter leaves, with their neurons
    whole    all synapses of the run counted from one neuron to another, whatever the filter: what fractions are of
    pairs    the chosen synapses counted from one neuron to another, before the filter chooses edges
    edges    the pairs that the filter leaves

A filter that chooses no synapses takes `pairs` from `whole`, the table edge; only another one counts them anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectome.selection import Filter
from connectome.store.proofreading.roots import SEGMENTS
from connectome.store.queries.streaming import Query

CHOSEN = """chosen AS NOT MATERIALIZED (
    SELECT s.cleft_id, s.number, {pre} AS pre_id, {post} AS post_id, s.pre_segment_id, s.post_segment_id,
           s.confidence, s.pre_score, s.post_score, s.source_id, s.pre_supervoxel_id,
           s.post_supervoxel_id, s.pre_x_nm, s.pre_y_nm, s.pre_z_nm,
           s.post_x_nm, s.post_y_nm, s.post_z_nm, c.size_voxels, c.mean_score, c.max_score, c.x_nm, c.y_nm, c.z_nm,
           c.start_x_nm, c.start_y_nm, c.start_z_nm, c.stop_x_nm, c.stop_y_nm, c.stop_z_nm
    FROM {clefts} c JOIN synapse s ON s.run_id = c.run_id AND s.cleft_id = c.cleft_id{joins}
    WHERE s.run_id = :run_id AND c.run_id = :run_id{conditions}
)"""
IN_BOX = "clefts_in_box(:run_id, :start_x, :start_y, :start_z, :stop_x, :stop_y, :stop_z)"
TO_ROOTS = """
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = :roots_id AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root p ON p.roots_id = :roots_id AND p.segment_id = s.pre_segment_id
    LEFT JOIN root q ON q.roots_id = :roots_id AND q.segment_id = s.post_segment_id"""
SEGMENT_EDGES = """whole AS NOT MATERIALIZED (
    SELECT pre_segment_id AS pre_id, post_segment_id AS post_id, synapse_count, size_voxels, mean_confidence
    FROM edge WHERE run_id = :run_id
)"""
ROOT_EDGES = """whole AS NOT MATERIALIZED (
    SELECT pre_root_id AS pre_id, post_root_id AS post_id, synapse_count, size_voxels, mean_confidence
    FROM root_edge WHERE run_id = :run_id AND roots_id = :roots_id
)"""
ALL_PAIRS = "pairs AS NOT MATERIALIZED (SELECT * FROM whole)"
COUNTED_PAIRS = """pairs AS {materialized} (
    SELECT pre_id, post_id, count(*)::integer AS synapse_count, coalesce(sum(size_voxels), 0)::bigint AS size_voxels,
           avg(confidence)::double precision AS mean_confidence
    FROM chosen GROUP BY pre_id, post_id
)"""
EDGES = """edges AS NOT MATERIALIZED (
    SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM pairs
    WHERE synapse_count >= :min_synapses{conditions}
)"""
OF_TYPE = "\n    AND {side}_id IN (SELECT neuron_id FROM neuron_type WHERE type = :{side}_type)"
TYPES = """neuron_type AS NOT MATERIALIZED (
    SELECT neuron_id, value AS type FROM annotation
    WHERE data_set_id = (SELECT data_set_id FROM run WHERE run_id = :run_id) AND roots_id = :roots_id
    AND label = 'type'
)"""
SYNAPSE_CONDITIONS = {
    "min_confidence": "s.confidence >= :min_confidence",
    "min_size": "c.size_voxels >= :min_size",
    "max_size": "c.size_voxels <= :max_size",
}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A filter whose run and roots have been found.

    Attributes:
        run_id: the run.
        roots_id: the version of the roots; SEGMENTS for none.
        filter: what else it chooses.
    """

    run_id: int
    roots_id: int
    filter: Filter

    def query(self, body: str, *, narrow: bool = False, near: Sequence[str] = (), **parameters: Any) -> Query:
        """A query over `chosen`, `whole`, `pairs`, `edges` and `neuron_type`.

        Args:
            body: its text after the common table expressions.
            narrow: it asks of given neurons, so that their synapses alone need be counted.
            near: further conditions on the synapses `s`, true for all that it can return.
            parameters: those of the text.
        """
        own = {"run_id": self.run_id, "roots_id": self.roots_id}
        whole = SEGMENT_EDGES if self.roots_id == SEGMENTS else ROOT_EDGES
        tables = [self._chosen(near), whole, self._pairs(narrow), TYPES, self._edges()]
        return Query(
            sql=f"WITH RECURSIVE {', '.join(tables)}\n{body}", parameters={**own, **self._filter_values(), **parameters}
        )

    def _filter_values(self) -> Mapping[str, Any]:
        chosen = self.filter
        names = ("min_synapses", "min_confidence", "min_size", "max_size", "pre_type", "post_type")
        values = {name: getattr(chosen, name) for name in names}
        if chosen.box_nm is not None:
            for i, axis in enumerate("zyx"):
                values |= {f"start_{axis}": chosen.box_nm.start_nm[i], f"stop_{axis}": chosen.box_nm.stop_nm[i]}
        return values

    def _chosen(self, near: Sequence[str]) -> str:
        chosen = self.filter
        conditions = [text for name, text in SYNAPSE_CONDITIONS.items() if getattr(chosen, name) is not None]
        conditions += near
        proofread = self.roots_id != SEGMENTS
        return CHOSEN.format(
            pre="coalesce(o.pre_root_id, p.root_id, s.pre_segment_id)" if proofread else "s.pre_segment_id",
            post="coalesce(o.post_root_id, q.root_id, s.post_segment_id)" if proofread else "s.post_segment_id",
            clefts="cleft" if chosen.box_nm is None else IN_BOX,
            joins=TO_ROOTS if proofread else "",
            conditions="".join(f"\n    AND {condition}" for condition in conditions),
        )

    def _pairs(self, narrow: bool) -> str:
        if self.filter.chooses_synapses:
            return COUNTED_PAIRS.format(materialized="NOT MATERIALIZED" if narrow else "MATERIALIZED")
        return ALL_PAIRS

    def _edges(self) -> str:
        sides = [side for side in ("pre", "post") if getattr(self.filter, f"{side}_type") is not None]
        return EDGES.format(conditions="".join(OF_TYPE.format(side=side) for side in sides))
