-- Synapses whose clefts' centroids lie in a box in nm, stops exclusive
-- :start_x double precision: start along x in nm
-- :start_y double precision: start along y in nm
-- :start_z double precision: start along z in nm
-- :stop_x double precision: stop along x in nm
-- :stop_y double precision: stop along y in nm
-- :stop_z double precision: stop along z in nm
-- over run

SELECT s.cleft_id, s.pre_segment_id, s.post_segment_id, s.confidence, c.size_voxels, c.x_nm, c.y_nm, c.z_nm
FROM clefts_in_box((SELECT run_id FROM chosen), :start_x, :start_y, :start_z, :stop_x, :stop_y, :stop_z) c
JOIN synapse s ON s.run_id = c.run_id AND s.cleft_id = c.cleft_id
WHERE s.run_id = (SELECT run_id FROM chosen)
ORDER BY s.cleft_id, s.number
