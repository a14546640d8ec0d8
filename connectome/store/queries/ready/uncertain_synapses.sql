-- The synapses of the lowest confidence, where to look first
-- :limit bigint = 100: at most so many rows
-- over synapses

SELECT cleft_id, pre_segment_id, post_segment_id, confidence, pre_score, post_score, x_nm, y_nm, z_nm
FROM synapses ORDER BY confidence, cleft_id, number LIMIT :limit
