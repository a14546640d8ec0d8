-- How many clefts have a size in each bin, bins doubling in width
-- over run

SELECT 1::bigint << bin AS start_voxels, 1::bigint << (bin + 1) AS stop_voxels, count(*) AS clefts
FROM (SELECT near + (size_voxels >= 1::bigint << (near + 1))::integer - (size_voxels < 1::bigint << near)::integer AS bin
      FROM (SELECT size_voxels, floor(ln(size_voxels::float8) / ln(2::float8))::integer AS near FROM cleft
            WHERE run_id = :run_id AND size_voxels > 0) AS rounded) AS sizes
GROUP BY bin ORDER BY bin
