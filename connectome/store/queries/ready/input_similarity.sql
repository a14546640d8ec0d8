-- Cosine similarity of the inputs of every two neurons of a list, weighted by synapses
-- :neurons bigint[]: the neurons, with commas between
-- over edges

, inputs AS MATERIALIZED (
    SELECT post_id AS neuron_id, pre_id, synapse_count::float8 AS weight FROM edges WHERE post_id = ANY(:neurons)
), norms AS (
    SELECT neuron_id, sqrt(sum(weight * weight)) AS norm FROM inputs GROUP BY neuron_id
)
SELECT a.neuron_id, b.neuron_id AS other_id, count(*) AS shared_inputs,
       sum(a.weight * b.weight) / (min(m.norm) * min(n.norm)) AS cosine_similarity
FROM inputs a JOIN inputs b ON a.pre_id = b.pre_id AND a.neuron_id < b.neuron_id
JOIN norms m ON m.neuron_id = a.neuron_id JOIN norms n ON n.neuron_id = b.neuron_id
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2
