"""Questions about synapses, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectome.selection import NmBox
from connectome.store.queries.scope import Scope
from connectome.store.streaming import Query

SYNAPSES = """
SELECT cleft_id, pre_id, post_id, pre_segment_id, post_segment_id, size_voxels, confidence, x_nm, y_nm, z_nm,
       pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm
FROM chosen{conditions}
ORDER BY cleft_id, pre_segment_id, post_segment_id, number"""
IN_EDGES = "(pre_id, post_id) IN (SELECT pre_id, post_id FROM edges)"


def synapses(scope: Scope, pre: Sequence[int] | None = None, post: Sequence[int] | None = None) -> Query:
    """The synapses that the filter leaves, in the edges that it leaves.

    Args:
        scope: where to look.
        pre: only those of these presynaptic neurons.
        post: only those of these postsynaptic neurons.
    """
    lists = {side: list(neurons) for side, neurons in (("pre", pre), ("post", post)) if neurons is not None}
    return _chosen(scope, [f"{side}_id = ANY(:{side})" for side in lists], **lists)


def in_box(scope: Scope, box: NmBox) -> Query:
    """Those of `synapses` whose clefts' centroids lie in a box; edges are chosen by all of their synapses."""
    conditions, values = [], {}
    for axis, start, stop in zip("zyx", box.start_nm, box.stop_nm, strict=True):
        conditions.append(f"{axis}_nm >= :from_{axis} AND {axis}_nm < :to_{axis}")
        values |= {f"from_{axis}": start, f"to_{axis}": stop}
    return _chosen(scope, conditions, **values)


def _chosen(scope: Scope, conditions: list[str], **values: Any) -> Query:
    chosen = scope.filter
    if chosen.min_synapses > 1 or chosen.pre_type is not None or chosen.post_type is not None:
        conditions = [*conditions, IN_EDGES]
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    return scope.query(SYNAPSES.format(conditions=where), **values)
