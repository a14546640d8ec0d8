-- Pairs of neurons with edges both ways, each pair once
-- over edges

SELECT a.pre_id AS neuron_id, a.post_id AS other_id, a.synapse_count AS synapses_there,
       b.synapse_count AS synapses_back
FROM edges a JOIN edges b ON b.pre_id = a.post_id AND b.post_id = a.pre_id
WHERE a.pre_id < a.post_id
ORDER BY least(a.synapse_count, b.synapse_count) DESC, 1, 2
