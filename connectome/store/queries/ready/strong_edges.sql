-- Edges of at least so many synapses, the strongest first
-- :min_synapses integer = 5: leave out edges of fewer synapses
-- :limit bigint = 1000: at most so many rows
-- over edges

SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM edges
ORDER BY synapse_count DESC, size_voxels DESC NULLS LAST, pre_id, post_id LIMIT :limit
