-- Cosine similarity of the partners of every two neurons of a list, weighted by synapses; 0 is left out
-- :neurons bigint[]: the neurons, with commas between
-- :side inputs|outputs = inputs: which partners
-- over edges of neurons

, sided AS NOT MATERIALIZED (
    SELECT CASE WHEN :side = 'inputs' THEN post_id ELSE pre_id END AS neuron_id,
           CASE WHEN :side = 'inputs' THEN pre_id ELSE post_id END AS partner_id, synapse_count
    FROM edges
), vectors AS MATERIALIZED (
    SELECT neuron_id, partner_id, synapse_count::float8 AS weight FROM sided WHERE neuron_id = ANY(:neurons)
), norms AS (
    SELECT neuron_id, sqrt(sum(weight * weight)) AS norm FROM vectors GROUP BY neuron_id
)
SELECT a.neuron_id, b.neuron_id AS other_id, count(*) AS shared_partners,
       sum(a.weight * b.weight) / (min(m.norm) * min(n.norm)) AS cosine_similarity
FROM vectors a JOIN vectors b ON a.partner_id = b.partner_id AND a.neuron_id < b.neuron_id
JOIN norms m ON m.neuron_id = a.neuron_id JOIN norms n ON n.neuron_id = b.neuron_id
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2
