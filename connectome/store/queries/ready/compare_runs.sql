-- Edges whose number of synapses differs between two runs, the largest difference first
-- :first text: name of a run
-- :second text: name of another run over the same segments
-- :limit bigint = 1000: at most so many rows

WITH one AS (
    SELECT * FROM edge WHERE run_id = (SELECT run_id FROM run WHERE name = :first)
), other AS (
    SELECT * FROM edge WHERE run_id = (SELECT run_id FROM run WHERE name = :second)
)
SELECT pre_segment_id, post_segment_id, coalesce(one.synapse_count, 0) AS first_synapses,
       coalesce(other.synapse_count, 0) AS second_synapses
FROM one FULL JOIN other USING (pre_segment_id, post_segment_id)
WHERE one.synapse_count IS DISTINCT FROM other.synapse_count
ORDER BY abs(coalesce(one.synapse_count, 0) - coalesce(other.synapse_count, 0)) DESC, 1, 2 LIMIT :limit
