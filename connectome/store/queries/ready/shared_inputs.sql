-- Neurons that give input to all the neurons of a list, or to at least so many
-- :neurons bigint[]: the neurons, with commas between
-- :at_least integer = 2: to so many of them
-- over edges

SELECT pre_id AS partner_id, count(*) AS neurons, sum(synapse_count)::bigint AS synapse_count
FROM edges WHERE post_id = ANY(:neurons)
GROUP BY pre_id HAVING count(*) >= :at_least ORDER BY 2 DESC, 3 DESC, 1
