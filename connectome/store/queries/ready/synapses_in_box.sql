-- Synapses whose clefts' centroids lie in a box in nm, stops exclusive
-- :start_x double precision: start along x in nm
-- :start_y double precision: start along y in nm
-- :start_z double precision: start along z in nm
-- :stop_x double precision: stop along x in nm
-- :stop_y double precision: stop along y in nm
-- :stop_z double precision: stop along z in nm
-- over synapses

SELECT cleft_id, pre_segment_id, post_segment_id, confidence, size_voxels, x_nm, y_nm, z_nm
FROM synapses ORDER BY cleft_id, number
