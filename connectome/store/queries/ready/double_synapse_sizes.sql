-- Correlation of the sizes of the two synapses of edges that have exactly two (in log voxels)
-- over synapses

, sizes AS (
    SELECT min(ln(size_voxels)) AS smaller, max(ln(size_voxels)) AS larger
    FROM synapses WHERE pre_id <> post_id AND size_voxels > 0
    GROUP BY pre_id, post_id HAVING count(*) = 2
), doubled AS (
    SELECT smaller AS one, larger AS other FROM sizes UNION ALL SELECT larger, smaller FROM sizes
)
SELECT count(*) / 2 AS edges, corr(one, other) AS correlation, exp(avg(one)) AS geometric_mean_voxels FROM doubled
