"""Questions about synapses, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectome.store.proofreading.roots import SEGMENTS
from connectome.store.queries.scope import Scope
from connectome.store.queries.streaming import Query

SYNAPSES = """
SELECT cleft_id, number, pre_id, post_id, pre_segment_id, post_segment_id, size_voxels, confidence, x_nm, y_nm, z_nm,
       pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm
FROM chosen{conditions}
ORDER BY cleft_id, number"""
EXPORTED = """
SELECT {columns} FROM (
    SELECT cleft_id, number, pre_id AS pre_segment_id, post_id AS post_segment_id, source_id, pre_score, post_score,
           confidence, mean_score, max_score, size_voxels, x_nm, y_nm, z_nm, pre_x_nm, pre_y_nm, pre_z_nm,
           post_x_nm, post_y_nm, post_z_nm, start_x_nm, start_y_nm, start_z_nm, stop_x_nm, stop_y_nm, stop_z_nm,
           {pre} AS pre_supervoxel_id, {post} AS post_supervoxel_id
    FROM chosen{conditions}
) AS synapses ORDER BY cleft_id, number"""
# With roots, all synapses that may be a neuron's: those of its segments, and those that it was given one by one.
NEAR = """(s.{side}_segment_id = ANY(:{side})
    OR s.{side}_segment_id = ANY(ARRAY(SELECT segment_id FROM root
                                       WHERE roots_id = :roots_id AND root_id = ANY(:{side})))
    OR s.cleft_id = ANY(ARRAY(SELECT cleft_id FROM synapse_root
                              WHERE run_id = :run_id AND roots_id = :roots_id AND {side}_root_id = ANY(:{side}))))"""
IN_EDGES = "(pre_id, post_id) IN (SELECT pre_id, post_id FROM edges)"


def synapses(scope: Scope, pre: Sequence[int] | None = None, post: Sequence[int] | None = None) -> Query:
    """The synapses that the filter leaves, in the edges that it leaves.

    Args:
        scope: where to look.
        pre: only those of these presynaptic neurons.
        post: only those of these postsynaptic neurons.
    """
    lists: dict[str, Any] = {
        side: list(neurons) for side, neurons in (("pre", pre), ("post", post)) if neurons is not None
    }
    conditions = [f"{side}_id = ANY(:{side})" for side in lists]
    near = [NEAR.format(side=side) for side in lists] if scope.roots_id != SEGMENTS else []
    return scope.query(SYNAPSES.format(conditions=_where(scope, conditions)), near=near, **lists)


def exported(scope: Scope, columns: Sequence[str]) -> Query:
    """The synapses that the filter leaves with all that is known of them; partners are neurons.

    Args:
        scope: where to look.
        columns: which columns, from the names of synapse and cleft; their order in the answer.
    """
    chosen = ", ".join(f'"{name}"' for name in columns)
    # with roots as partners, the segments would be lost: they are what later proofreading moves
    kept = "coalesce({side}_supervoxel_id, {side}_segment_id)" if scope.roots_id != SEGMENTS else "{side}_supervoxel_id"
    sides = {side: kept.format(side=side) for side in ("pre", "post")}
    return scope.query(EXPORTED.format(columns=chosen, conditions=_where(scope, []), **sides))


def _where(scope: Scope, conditions: list[str]) -> str:
    chosen = scope.filter
    if chosen.min_synapses > 1 or chosen.pre_type is not None or chosen.post_type is not None:
        conditions = [*conditions, IN_EDGES]
    return f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
