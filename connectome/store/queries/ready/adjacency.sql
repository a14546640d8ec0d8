-- Edges among the neurons of a list
-- :neurons bigint[]: the neurons, with commas between
-- over edges of neurons

SELECT pre_id, post_id, synapse_count FROM edges
WHERE pre_id = ANY(:neurons) AND post_id = ANY(:neurons) ORDER BY pre_id, post_id
