-- Synapses and partners of every neuron on each side, those with the most synapses first
-- :limit bigint = 1000: at most so many rows
-- over edges

, sides AS (
    SELECT post_id AS neuron_id, synapse_count AS received, 0 AS sent FROM edges
    UNION ALL
    SELECT pre_id, 0, synapse_count FROM edges
)
SELECT neuron_id, sum(received)::bigint AS input_synapses, count(*) FILTER (WHERE received > 0) AS input_partners,
       sum(sent)::bigint AS output_synapses, count(*) FILTER (WHERE sent > 0) AS output_partners
FROM sides GROUP BY neuron_id ORDER BY sum(received) + sum(sent) DESC, neuron_id LIMIT :limit
