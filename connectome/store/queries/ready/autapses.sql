-- Edges from a neuron to itself
-- over edges

SELECT pre_id AS neuron_id, synapse_count, size_voxels, mean_confidence FROM edges
WHERE pre_id = post_id ORDER BY synapse_count DESC, 1
