-- How many clefts have a size in each bin, bins doubling in width
-- :run text = none: name of a finished run; none: the one that finished last

WITH chosen AS (
    SELECT run_id FROM run
    WHERE state = 'finished' AND (name = :run OR CAST(:run AS text) IS NULL)
    ORDER BY finished_at DESC, run_id DESC LIMIT 1
)
SELECT power(2, bin)::bigint AS start_voxels, power(2, bin + 1)::bigint AS stop_voxels, count(*) AS clefts
FROM (SELECT floor(log(2, size_voxels))::integer AS bin FROM cleft
      WHERE run_id = (SELECT run_id FROM chosen) AND size_voxels > 0) AS sizes
GROUP BY bin ORDER BY bin
