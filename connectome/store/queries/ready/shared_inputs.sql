-- Partners that neurons of a list have in common: those that give input to at least so many of them
-- :neurons bigint[]: the neurons, with commas between
-- :at_least integer = 2: to so many of them
-- :side inputs|outputs = inputs: outputs for those that get output from them
-- over edges of neurons

, sided AS NOT MATERIALIZED (
    SELECT CASE WHEN :side = 'inputs' THEN post_id ELSE pre_id END AS neuron_id,
           CASE WHEN :side = 'inputs' THEN pre_id ELSE post_id END AS partner_id, synapse_count, size_voxels
    FROM edges
)
SELECT partner_id, count(*) AS neurons, sum(synapse_count)::bigint AS synapse_count,
       min(synapse_count) AS min_synapse_count, sum(size_voxels)::bigint AS size_voxels
FROM sided WHERE neuron_id = ANY(:neurons)
GROUP BY 1 HAVING count(*) >= :at_least
ORDER BY 2 DESC, 3 DESC, 1
