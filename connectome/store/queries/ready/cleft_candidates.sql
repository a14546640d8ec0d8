-- The candidate partners of a cleft with their scores in each role
-- :cleft bigint: the cleft
-- over run

SELECT segment_id, role, score, contact_voxels FROM candidate
WHERE run_id = :run_id AND cleft_id = :cleft ORDER BY role DESC, score DESC, segment_id
