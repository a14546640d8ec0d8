-- How many clefts have a size in each bin, bins doubling in width
-- over run

SELECT power(2, bin)::bigint AS start_voxels, power(2, bin + 1)::bigint AS stop_voxels, count(*) AS clefts
FROM (SELECT floor(log(2, size_voxels))::integer AS bin FROM cleft
      WHERE run_id = (SELECT run_id FROM chosen) AND size_voxels > 0) AS sizes
GROUP BY bin ORDER BY bin
