"""Questions about given neurons: partners, totals, edges between lists, shared partners, similarity."""

from __future__ import annotations

from collections.abc import Sequence

from connectome.selection import Direction, Side
from connectome.store.queries.scope import Scope
from connectome.store.queries.streaming import Query

INPUTS = """
    SELECT post_id AS neuron_id, 'input' AS direction, pre_id AS partner_id, pre_id, post_id, synapse_count,
           size_voxels, mean_confidence
    FROM edges WHERE post_id = ANY(:neurons)"""
OUTPUTS = """
    SELECT pre_id AS neuron_id, 'output' AS direction, post_id AS partner_id, pre_id, post_id, synapse_count,
           size_voxels, mean_confidence
    FROM edges WHERE pre_id = ANY(:neurons)"""
RECEIVED = """
), received AS MATERIALIZED (
    SELECT post_id, sum(synapse_count)::float8 AS synapses FROM whole
    WHERE post_id IN (SELECT post_id FROM found) GROUP BY post_id
)"""
PARTNERS = (
    ", found AS MATERIALIZED ({sides}"
    + RECEIVED
    + """
SELECT found.neuron_id, direction, partner_id, neuron_type.type AS partner_type, synapse_count, size_voxels,
       mean_confidence, synapse_count / received.synapses AS input_fraction
FROM found JOIN received USING (post_id) LEFT JOIN neuron_type ON neuron_type.neuron_id = partner_id
ORDER BY found.neuron_id, direction, synapse_count DESC, partner_id"""
)
BETWEEN = (
    """
, found AS MATERIALIZED (
    SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM edges
    WHERE pre_id = ANY(:pre) AND post_id = ANY(:post)"""
    + RECEIVED
    + """
SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence, synapse_count / received.synapses AS input_fraction
FROM found JOIN received USING (post_id)
ORDER BY synapse_count DESC, pre_id, post_id"""
)
TOTALS = """
SELECT neuron_id,
       coalesce(i.synapses, 0) AS input_synapses, coalesce(i.partners, 0) AS input_partners,
       coalesce(o.synapses, 0) AS output_synapses, coalesce(o.partners, 0) AS output_partners
FROM unnest(CAST(:neurons AS bigint[])) AS neuron_id
LEFT JOIN LATERAL (SELECT sum(synapse_count)::bigint AS synapses, count(*) AS partners
                   FROM edges WHERE post_id = neuron_id) i ON true
LEFT JOIN LATERAL (SELECT sum(synapse_count)::bigint AS synapses, count(*) AS partners
                   FROM edges WHERE pre_id = neuron_id) o ON true
ORDER BY neuron_id"""
SHARED = """
SELECT {partner} AS partner_id, count(*) AS neurons, sum(synapse_count)::bigint AS synapse_count,
       min(synapse_count) AS min_synapse_count, sum(size_voxels)::bigint AS size_voxels
FROM edges WHERE {neuron} = ANY(:neurons)
GROUP BY 1 HAVING count(*) >= :at_least
ORDER BY 2 DESC, 3 DESC, 1"""
SIMILARITY = """
, vectors AS MATERIALIZED (
    SELECT {neuron} AS neuron_id, {partner} AS partner_id, synapse_count::float8 AS weight
    FROM edges WHERE {neuron} = ANY(:neurons)
), norms AS (
    SELECT neuron_id, sqrt(sum(weight * weight)) AS norm FROM vectors GROUP BY neuron_id
)
SELECT a.neuron_id AS neuron_id, b.neuron_id AS other_id, count(*) AS shared_partners,
       sum(a.weight * b.weight) / (min(m.norm) * min(n.norm)) AS cosine_similarity
FROM vectors a JOIN vectors b ON a.partner_id = b.partner_id AND a.neuron_id < b.neuron_id
JOIN norms m ON m.neuron_id = a.neuron_id JOIN norms n ON n.neuron_id = b.neuron_id
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2"""
PARTNER_SIDE = {
    Side.INPUTS: {"neuron": "post_id", "partner": "pre_id"},
    Side.OUTPUTS: {"neuron": "pre_id", "partner": "post_id"},
}


def partners(scope: Scope, neurons: Sequence[int], direction: Direction) -> Query:
    """The partners of neurons, each with counts and fractions.

    `input_fraction` is the edge's share of all that its postsynaptic neuron receives, whatever the filter.
    """
    match direction:
        case Direction.INPUTS:
            sides = INPUTS
        case Direction.OUTPUTS:
            sides = OUTPUTS
        case Direction.BOTH:
            sides = f"{INPUTS}\n    UNION ALL{OUTPUTS}"
    return scope.query(PARTNERS.format(sides=sides), narrow=True, neurons=list(neurons))


def between(scope: Scope, pre: Sequence[int], post: Sequence[int]) -> Query:
    """The edges from the neurons of one list to those of another."""
    return scope.query(BETWEEN, narrow=True, pre=list(pre), post=list(post))


def totals(scope: Scope, neurons: Sequence[int]) -> Query:
    """How many synapses and partners each neuron has on each side; a neuron without any has zeros."""
    return scope.query(TOTALS, narrow=True, neurons=list(neurons))


def shared_partners(scope: Scope, neurons: Sequence[int], side: Side, at_least: int) -> Query:
    """The neurons that give input to, or get output from, at least so many of a list."""
    return scope.query(SHARED.format(**PARTNER_SIDE[side]), narrow=True, neurons=list(neurons), at_least=at_least)


def similarity(scope: Scope, neurons: Sequence[int], side: Side) -> Query:
    """Cosine similarity of the partners of every two neurons of a list, weighted by synapses; 0 is left out."""
    return scope.query(SIMILARITY.format(**PARTNER_SIDE[side]), narrow=True, neurons=list(neurons))
