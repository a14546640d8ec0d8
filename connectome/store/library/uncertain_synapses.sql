-- The synapses of the lowest confidence, where to look first
-- :limit bigint = 100: at most so many rows
-- :run text = none: name of a finished run; none: the one that finished last

WITH chosen AS (
    SELECT run_id FROM run
    WHERE state = 'finished' AND (name = :run OR CAST(:run AS text) IS NULL)
    ORDER BY finished_at DESC, run_id DESC LIMIT 1
), synapses AS NOT MATERIALIZED (
    SELECT * FROM synapse_cleft WHERE run_id = (SELECT run_id FROM chosen)
)
SELECT cleft_id, pre_segment_id, post_segment_id, confidence, pre_score, post_score, x_nm, y_nm, z_nm
FROM synapses ORDER BY confidence, cleft_id, number LIMIT :limit
