"""Questions about the whole network: edges, strongest pairs, reciprocal pairs, autapses, types, paths."""

from __future__ import annotations

from connectome.store.queries.scope import Scope
from connectome.store.queries.streaming import Query

ALL = """
, totals AS (SELECT post_id, sum(synapse_count)::float8 AS synapses FROM whole GROUP BY post_id)
SELECT e.pre_id, e.post_id, e.synapse_count, e.size_voxels, e.mean_confidence,
       e.synapse_count / t.synapses AS input_fraction
FROM edges e JOIN totals t ON t.post_id = e.post_id ORDER BY 1, 2"""
TOP = """
SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM edges
ORDER BY synapse_count DESC, size_voxels DESC NULLS LAST, pre_id, post_id LIMIT :limit"""
AUTAPSES = """
SELECT pre_id AS neuron_id, synapse_count, size_voxels, mean_confidence FROM edges
WHERE pre_id = post_id ORDER BY synapse_count DESC, 1"""
RECIPROCAL = """
SELECT a.pre_id AS neuron_id, a.post_id AS other_id, a.synapse_count AS synapses_there,
       b.synapse_count AS synapses_back
FROM edges a JOIN edges b ON b.pre_id = a.post_id AND b.post_id = a.pre_id
WHERE a.pre_id < a.post_id
ORDER BY least(a.synapse_count, b.synapse_count) DESC, 1, 2"""
TYPE_MATRIX = """
SELECT p.type AS pre_type, q.type AS post_type, sum(e.synapse_count)::bigint AS synapse_count, count(*) AS edges,
       count(DISTINCT e.pre_id) AS pre_neurons, count(DISTINCT e.post_id) AS post_neurons
FROM edges e JOIN neuron_type p ON p.neuron_id = e.pre_id JOIN neuron_type q ON q.neuron_id = e.post_id
GROUP BY 1, 2 ORDER BY 1, 2"""
# Only neurons that can still reach the end in the hops left are followed, so that the search doesn't spread.
PATHS = """
, back(neuron_id, hops) AS (
    SELECT CAST(:target AS bigint), 0
    UNION
    SELECT e.pre_id, back.hops + 1 FROM back JOIN edges e ON e.post_id = back.neuron_id
    WHERE back.hops < :max_hops AND e.pre_id <> e.post_id
), distance AS MATERIALIZED (
    SELECT neuron_id, min(hops) AS hops FROM back GROUP BY neuron_id
), path(last_id, neurons, hops, weakest, synapses) AS (
    SELECT CAST(:source AS bigint), ARRAY[CAST(:source AS bigint)], 0, NULL::bigint, 0::bigint
    UNION ALL
    SELECT e.post_id, path.neurons || e.post_id, path.hops + 1, least(path.weakest, e.synapse_count),
           path.synapses + e.synapse_count
    FROM path JOIN edges e ON e.pre_id = path.last_id
    JOIN distance d ON d.neuron_id = e.post_id AND d.hops <= :max_hops - path.hops - 1
    WHERE path.last_id <> :target AND e.post_id <> ALL(path.neurons)
)
SELECT hops, weakest AS weakest_synapse_count, synapses AS synapse_count,
       array_to_string(neurons, ' > ') AS neurons
FROM path WHERE last_id = :target AND hops > 0
ORDER BY hops, weakest DESC, synapses DESC, neurons LIMIT :limit"""


def edges(scope: Scope) -> Query:
    """All edges, ordered by their neurons, each with its share of all that its postsynaptic neuron receives."""
    return scope.query(ALL)


def top(scope: Scope, limit: int) -> Query:
    """The strongest edges."""
    return scope.query(TOP, limit=limit)


def autapses(scope: Scope) -> Query:
    """Edges from a neuron to itself."""
    return scope.query(AUTAPSES)


def reciprocal(scope: Scope) -> Query:
    """Pairs of neurons with edges both ways, each pair once."""
    return scope.query(RECIPROCAL)


def type_matrix(scope: Scope) -> Query:
    """Synapses and edges from type to type, among annotated neurons."""
    return scope.query(TYPE_MATRIX)


def paths(scope: Scope, source: int, target: int, max_hops: int, limit: int) -> Query:
    """Paths from one neuron to another of at most so many edges, no neuron twice; the shortest, then the strongest."""
    return scope.query(PATHS, source=source, target=target, max_hops=max_hops, limit=limit)
