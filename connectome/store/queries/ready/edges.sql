-- All edges, ordered by their neurons, each with its share of all that its postsynaptic neuron receives
-- over edges

, totals AS (SELECT post_id, sum(synapse_count)::float8 AS synapses FROM whole GROUP BY post_id)
SELECT e.pre_id, e.post_id, e.synapse_count, e.size_voxels, e.mean_confidence,
       e.synapse_count / t.synapses AS input_fraction
FROM edges e JOIN totals t ON t.post_id = e.post_id ORDER BY 1, 2
