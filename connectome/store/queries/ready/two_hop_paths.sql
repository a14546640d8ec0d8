-- Paths of two edges between two neurons, the strongest first; the weaker edge counts
-- :source bigint: where paths begin
-- :target bigint: where they end
-- :limit bigint = 100: at most so many rows
-- over edges

SELECT a.post_id AS via_id, a.synapse_count AS first_synapses, b.synapse_count AS second_synapses
FROM edges a JOIN edges b ON b.pre_id = a.post_id
WHERE a.pre_id = :source AND b.post_id = :target AND a.post_id NOT IN (:source, :target)
ORDER BY least(a.synapse_count, b.synapse_count) DESC, a.synapse_count + b.synapse_count DESC, 1 LIMIT :limit
