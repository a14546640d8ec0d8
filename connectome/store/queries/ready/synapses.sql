-- Synapses one by one, those of given partners or of a given cleft where they are given
-- :pre bigint[] = none: presynaptic neurons, with commas between; none: all
-- :post bigint[] = none: postsynaptic neurons, with commas between; none: all
-- :cleft bigint = none: a cleft; none: all
-- over synapses

SELECT cleft_id, number, pre_id, post_id, pre_segment_id, post_segment_id, size_voxels, confidence, x_nm, y_nm, z_nm,
       pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm
FROM synapses
WHERE (CAST(:pre AS bigint[]) IS NULL OR pre_id = ANY(CAST(:pre AS bigint[])))
  AND (CAST(:post AS bigint[]) IS NULL OR post_id = ANY(CAST(:post AS bigint[])))
  AND (CAST(:cleft AS bigint) IS NULL OR cleft_id = CAST(:cleft AS bigint))
ORDER BY cleft_id, number
