-- Partners of a neuron: inputs and outputs, the strongest first
-- :neuron bigint: the neuron
-- :min_synapses integer = 1: leave out edges of fewer synapses
-- over edges

SELECT 'input' AS direction, pre_id AS partner_id, synapse_count, size_voxels, mean_confidence
FROM edges WHERE post_id = :neuron AND synapse_count >= :min_synapses
UNION ALL
SELECT 'output', post_id, synapse_count, size_voxels, mean_confidence
FROM edges WHERE pre_id = :neuron AND synapse_count >= :min_synapses
ORDER BY direction, synapse_count DESC, partner_id
