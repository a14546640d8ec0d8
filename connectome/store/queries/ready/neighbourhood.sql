-- Neurons within so many edges of given ones, the nearest first
-- :neurons bigint[]: where to begin, with commas between
-- :hops integer = 2: at most so many edges away
-- :direction inputs|outputs|both = both: along inputs, along outputs, or either way at each step
-- over edges of neurons

, reached AS (
    SELECT unnest(CAST(:neurons AS bigint[])) AS neuron_id, 0 AS hops
    UNION
    SELECT n.neuron_id, r.hops + 1
    FROM reached r CROSS JOIN LATERAL (
        SELECT post_id AS neuron_id FROM edges WHERE pre_id = r.neuron_id AND :direction <> 'inputs'
        UNION ALL
        SELECT pre_id FROM edges WHERE post_id = r.neuron_id AND :direction <> 'outputs'
    ) n WHERE r.hops < :hops
)
SELECT neuron_id, min(hops) AS hops, t.type FROM reached LEFT JOIN neuron_type t USING (neuron_id)
GROUP BY neuron_id, t.type ORDER BY 2, 1
