-- Inputs of a neuron, each as a fraction of all synapses that it receives (orphans included)
-- :neuron bigint: the neuron
-- over edges of neurons

SELECT pre_id, synapse_count, synapse_count::float8 / sum(synapse_count) OVER () AS input_fraction,
       sum(synapse_count) OVER (ORDER BY synapse_count DESC, pre_id)::float8 / sum(synapse_count) OVER () AS cumulative
FROM edges WHERE post_id = :neuron ORDER BY synapse_count DESC, pre_id
