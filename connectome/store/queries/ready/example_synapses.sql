-- A few synapses to look at: of the highest or the lowest confidence, or at random, the same ones each time
-- :order most|least|random = random: which
-- :limit bigint = 10: at most so many
-- over synapses

SELECT cleft_id, pre_segment_id, post_segment_id, confidence, x_nm, y_nm, z_nm
FROM synapses WHERE :order = 'random' OR confidence IS NOT NULL
ORDER BY CASE :order WHEN 'most' THEN -confidence WHEN 'least' THEN confidence
                     ELSE hashint8(cleft_id) END, cleft_id, number LIMIT :limit
