-- Correlation of the sizes of the two synapses of edges that have exactly two (in log voxels)
-- over run

, synapses AS NOT MATERIALIZED (
    SELECT * FROM synapse_cleft WHERE run_id = (SELECT run_id FROM chosen)
), sizes AS (
    SELECT min(ln(size_voxels)) AS smaller, max(ln(size_voxels)) AS larger
    FROM synapses WHERE pre_segment_id <> post_segment_id AND size_voxels > 0
    GROUP BY pre_segment_id, post_segment_id HAVING count(*) = 2
), pairs AS (
    SELECT smaller AS one, larger AS other FROM sizes UNION ALL SELECT larger, smaller FROM sizes
)
SELECT count(*) / 2 AS edges, corr(one, other) AS correlation, exp(avg(one)) AS geometric_mean_voxels FROM pairs
