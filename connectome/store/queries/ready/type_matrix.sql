-- Synapses and edges from type to type, among annotated neurons
-- :label text = type: the annotation that is the type
-- over edges

, types AS (
    SELECT neuron_id, value AS type FROM annotation
    WHERE label = :label AND data_set_id = (SELECT data_set_id FROM run WHERE run_id = :run_id)
    AND roots_id = :roots_id
)
SELECT p.type AS pre_type, q.type AS post_type, sum(e.synapse_count)::bigint AS synapse_count, count(*) AS edges,
       count(DISTINCT e.pre_id) AS pre_neurons, count(DISTINCT e.post_id) AS post_neurons
FROM edges e JOIN types p ON p.neuron_id = e.pre_id JOIN types q ON q.neuron_id = e.post_id
GROUP BY 1, 2 ORDER BY 1, 2
