-- Synapses of the same partners whose clefts lie within a distance: detections of one synapse, perhaps
-- :distance_nm double precision = 500: centroids at most so far apart
-- :limit bigint = 1000: at most so many rows
-- over synapses

SELECT a.pre_segment_id, a.post_segment_id, a.cleft_id, b.cleft_id AS other_cleft_id,
       sqrt((a.x_nm - b.x_nm) ^ 2 + (a.y_nm - b.y_nm) ^ 2 + (a.z_nm - b.z_nm) ^ 2) AS distance_nm
FROM synapses a JOIN synapses b ON b.pre_id = a.pre_id AND b.post_id = a.post_id
 AND (a.cleft_id, a.number) < (b.cleft_id, b.number)
WHERE (a.x_nm - b.x_nm) ^ 2 + (a.y_nm - b.y_nm) ^ 2 + (a.z_nm - b.z_nm) ^ 2 <= CAST(:distance_nm AS float8) ^ 2
ORDER BY distance_nm, 3, 4 LIMIT :limit
