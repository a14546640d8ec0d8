-- Edges from the neurons of one list to those of another, each with its share of all that its target receives
-- :pre bigint[]: presynaptic neurons, with commas between
-- :post bigint[]: postsynaptic neurons, with commas between
-- over edges of neurons

, found AS MATERIALIZED (
    SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM edges
    WHERE pre_id = ANY(:pre) AND post_id = ANY(:post)
), totals AS MATERIALIZED (
    SELECT post_id, sum(synapse_count)::float8 AS synapses FROM whole
    WHERE post_id IN (SELECT post_id FROM found) GROUP BY post_id
)
SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence, synapse_count / totals.synapses AS input_fraction
FROM found JOIN totals USING (post_id)
ORDER BY synapse_count DESC, pre_id, post_id
