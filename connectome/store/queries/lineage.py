"""Ids that are no neuron of a run: retired ones and where they went, supervoxels, unknown ones; and neurons by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from connectome.errors import NeuronNotFoundError
from connectome.store.database import Database
from connectome.store.queries.scope import SEGMENTS, Scope

SHOWN = 5
TOLD = 10  # so many ids that are no neurons are told one by one
MISSING = """
SELECT n FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS asked (n, place)
WHERE NOT EXISTS (SELECT FROM {edges} e WHERE e.run_id = %(run)s{of_version} AND e.{pre} = n)
AND NOT EXISTS (SELECT FROM {edges} e WHERE e.run_id = %(run)s{of_version} AND e.{post} = n)
AND NOT EXISTS (SELECT FROM annotation a WHERE a.data_set_id = %(data_set)s AND a.roots_id = %(roots)s
                AND a.neuron_id = n)
ORDER BY place
"""
OF_SEGMENT = """
SELECT root, count(*) FROM (
    SELECT coalesce(o.pre_root_id, r.root_id, s.pre_segment_id) AS root FROM synapse s
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = %(roots)s AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root r ON r.roots_id = %(roots)s AND r.segment_id = s.pre_segment_id
    WHERE s.run_id = %(run)s AND s.pre_segment_id = %(id)s
    UNION ALL
    SELECT coalesce(o.post_root_id, r.root_id, s.post_segment_id) FROM synapse s
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = %(roots)s AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root r ON r.roots_id = %(roots)s AND r.segment_id = s.post_segment_id
    WHERE s.run_id = %(run)s AND s.post_segment_id = %(id)s
) AS went GROUP BY 1 ORDER BY 2 DESC, 1
"""
OF_TABLE = """
SELECT root_id, NULL FROM root WHERE roots_id = %(roots)s AND segment_id = %(id)s
UNION SELECT root_id, NULL FROM supervoxel_root WHERE roots_id = %(roots)s AND supervoxel_id = %(id)s
"""
OTHER_VERSIONS = """
SELECT v.name, v.roots_id FROM roots v WHERE v.data_set_id = %(data_set)s AND v.roots_id <> %(roots)s AND EXISTS (
    SELECT FROM root_edge e WHERE e.run_id = %(run)s AND e.roots_id = v.roots_id
    AND (e.pre_root_id = %(id)s OR e.post_root_id = %(id)s))
ORDER BY v.roots_id DESC
"""
BETWEEN_VERSIONS = """
SELECT now, count(*) FROM (
    SELECT coalesce(o.{side}_root_id, r.root_id, s.{side}_segment_id) AS then,
           coalesce(p.{side}_root_id, q.root_id, s.{side}_segment_id) AS now
    FROM synapse s
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = %(other)s AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root r ON r.roots_id = %(other)s AND r.segment_id = s.{side}_segment_id
    LEFT JOIN synapse_root p ON p.run_id = s.run_id AND p.roots_id = %(roots)s AND p.cleft_id = s.cleft_id
                            AND p.number = s.number
    LEFT JOIN root q ON q.roots_id = %(roots)s AND q.segment_id = s.{side}_segment_id
    WHERE s.run_id = %(run)s
) AS went WHERE then = %(id)s GROUP BY 1
"""
NAMED = """
SELECT value, neuron_id FROM annotation WHERE data_set_id = %(data_set)s AND roots_id = %(roots)s AND label = 'name'
AND value = ANY(%(names)s) ORDER BY neuron_id
"""
IS_SUPERVOXEL = """
SELECT neuron, count(*) FROM (
    SELECT pre_segment_id AS neuron FROM synapse WHERE run_id = %(run)s AND pre_supervoxel_id = %(id)s
    UNION ALL
    SELECT post_segment_id FROM synapse WHERE run_id = %(run)s AND post_supervoxel_id = %(id)s
) AS found GROUP BY 1 ORDER BY 2 DESC, 1
"""


def missing_neurons(database: Database, scope: Scope, ids: Sequence[int]) -> list[int]:
    """Those ids that are no neuron of the run (with the roots of the scope), nor annotated as one."""
    proofread = scope.roots_id != SEGMENTS
    side = "root" if proofread else "segment"
    query = MISSING.format(
        edges="root_edge" if proofread else "edge",
        of_version=" AND e.roots_id = %(roots)s" if proofread else "",
        pre=f"pre_{side}_id",
        post=f"post_{side}_id",
    )
    with database.reading() as cursor:
        cursor.execute(query, {**_key(scope), "ids": list(ids)})
        return [found for (found,) in cursor.fetchall()]


def require_neurons(database: Database, scope: Scope, ids: Sequence[int], tell: Callable[[str], object]) -> None:
    """Say of ids that are no neurons of the run where they went.

    Raises:
        NeuronNotFoundError: none of them is a neuron of the run.
    """
    missing = missing_neurons(database, scope, list(dict.fromkeys(ids)))
    told = [where_it_went(database, scope, neuron) for neuron in missing[:TOLD]]
    if len(missing) > TOLD:
        told.append(f"{len(missing) - TOLD:,} more are no neurons of run '{scope.run.name}' either")
    if ids and len(missing) == len(set(ids)):
        raise NeuronNotFoundError("; ".join(told))
    for text in told:
        tell(text)


def neurons_named(database: Database, scope: Scope, names: Sequence[str]) -> dict[str, int]:
    """The ids of neurons by their annotation `name`.

    Raises:
        NeuronNotFoundError: no neuron of the data set has a name, or several have it.
    """
    if not names:
        return {}
    with database.reading() as cursor:
        found = _rows(cursor, NAMED, {**_key(scope), "names": list(names)})
    ids: dict[str, int] = {}
    for name, neuron in found:
        if name in ids:
            raise NeuronNotFoundError(f"several neurons are named '{name}' ({ids[name]}, {neuron}): give the id")
        ids[name] = neuron
    for name in names:
        if name not in ids:
            raise NeuronNotFoundError(
                f"'{name}' is neither the id nor the name of a neuron of run '{scope.run.name}': ids are whole numbers "
                "from 1, names are annotations under the label name"
            )
    return ids


def where_it_went(database: Database, scope: Scope, neuron: int) -> str:
    """What is known of an id that is no neuron of a run: one sentence."""
    of = f"run '{scope.run.name}'" + ("" if scope.filter.roots is None else f" with the roots '{scope.filter.roots}'")
    with database.reading() as cursor:
        key = {**_key(scope), "id": neuron}
        if scope.roots_id != SEGMENTS:
            for query in (OF_SEGMENT, OF_TABLE):
                went = _rows(cursor, query, key)
                if went:
                    return f"{neuron} is no neuron of {of} any more: it went to {_listed(went)}"
        for name, other in _rows(cursor, OTHER_VERSIONS, key):
            if scope.roots_id == SEGMENTS:
                return f"{neuron} is no neuron of {of}: it is one with the roots '{name}'"
            totals: dict[int, int] = {}
            for side in ("pre", "post"):
                for now, count in _rows(cursor, BETWEEN_VERSIONS.format(side=side), {**key, "other": other}):
                    totals[now] = totals.get(now, 0) + count
            went = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
            return f"{neuron} is no neuron of {of}, but one with '{name}': it went to {_listed(went)}"
        found = _rows(cursor, IS_SUPERVOXEL, key)
        if found:
            return f"{neuron} is no neuron of {of}, but a supervoxel of {_listed(found)}"
    return f"{neuron} is no neuron of {of}: it has no synapse there, and no annotation"


def _key(scope: Scope) -> dict[str, Any]:
    return {"run": scope.run.run_id, "roots": scope.roots_id, "data_set": scope.run.data_set_id}


def _rows(cursor: Any, query: str, key: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor.execute(query, key)
    return list(cursor.fetchall())


def _listed(went: Sequence[tuple[Any, ...]]) -> str:
    shown = [f"{root}" if count is None else f"{root} ({count:,} synapses)" for root, count in went[:SHOWN]]
    return ", ".join(shown) + (f" and {len(went) - SHOWN:,} more" if len(went) > SHOWN else "")
