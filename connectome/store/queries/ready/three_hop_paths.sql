-- Paths of three edges between two neurons, the strongest first; the weakest edge counts
-- :source bigint: where paths begin
-- :target bigint: where they end
-- :limit bigint = 100: at most so many rows
-- over edges

SELECT a.post_id AS first_via_id, c.pre_id AS second_via_id, a.synapse_count AS first_synapses,
       b.synapse_count AS second_synapses, c.synapse_count AS third_synapses
FROM edges a JOIN edges b ON b.pre_id = a.post_id JOIN edges c ON c.pre_id = b.post_id
WHERE a.pre_id = :source AND c.post_id = :target AND a.post_id <> c.pre_id
  AND a.post_id NOT IN (:source, :target) AND c.pre_id NOT IN (:source, :target)
ORDER BY least(a.synapse_count, b.synapse_count, c.synapse_count) DESC,
         a.synapse_count + b.synapse_count + c.synapse_count DESC, 1, 2
LIMIT :limit
