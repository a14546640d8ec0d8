-- The candidate partners of a cleft with their scores in each role
-- :cleft bigint: the cleft
-- :run text = none: name of a finished run; none: the one that finished last

WITH chosen AS (
    SELECT run_id FROM run
    WHERE state = 'finished' AND (name = :run OR CAST(:run AS text) IS NULL)
    ORDER BY finished_at DESC, run_id DESC LIMIT 1
)
SELECT segment_id, role, score, contact_voxels FROM candidate
WHERE run_id = (SELECT run_id FROM chosen) AND cleft_id = :cleft ORDER BY role DESC, score DESC, segment_id
