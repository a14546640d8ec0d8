-- Partners of a neuron, the strongest first; input_fraction is an edge's share of all that its target receives
-- :neuron bigint[]: the neuron, or several with commas between
-- :direction inputs|outputs|both = both: which partners
-- over edges of neurons

, found AS MATERIALIZED (
    SELECT post_id AS neuron_id, 'input' AS direction, pre_id AS partner_id, pre_id, post_id, synapse_count,
           size_voxels, mean_confidence
    FROM edges WHERE post_id = ANY(:neuron) AND :direction IN ('inputs', 'both')
    UNION ALL
    SELECT pre_id AS neuron_id, 'output' AS direction, post_id AS partner_id, pre_id, post_id, synapse_count,
           size_voxels, mean_confidence
    FROM edges WHERE pre_id = ANY(:neuron) AND :direction IN ('outputs', 'both')
), totals AS MATERIALIZED (
    SELECT post_id, sum(synapse_count)::float8 AS synapses FROM whole
    WHERE post_id IN (SELECT post_id FROM found) GROUP BY post_id
)
SELECT found.neuron_id, direction, partner_id, neuron_type.type AS partner_type, synapse_count, size_voxels,
       mean_confidence, synapse_count / totals.synapses AS input_fraction
FROM found JOIN totals USING (post_id) LEFT JOIN neuron_type ON neuron_type.neuron_id = partner_id
ORDER BY found.neuron_id, direction, synapse_count DESC, partner_id
