-- Neurons that give input to all the neurons of a list, or to at least so many
-- :neurons bigint[]: the neurons, with commas between
-- :at_least integer = 2: to so many of them
-- :run text = none: name of a finished run; none: the one that finished last
-- :roots text = none: version of the roots; none: the segments

WITH chosen AS (
    SELECT run_id FROM run
    WHERE state = 'finished' AND (name = :run OR CAST(:run AS text) IS NULL)
    ORDER BY finished_at DESC, run_id DESC LIMIT 1
), edges AS NOT MATERIALIZED (
    SELECT pre_segment_id AS pre_id, post_segment_id AS post_id, synapse_count, size_voxels, mean_confidence
    FROM edge WHERE run_id = (SELECT run_id FROM chosen) AND CAST(:roots AS text) IS NULL
    UNION ALL
    SELECT pre_root_id, post_root_id, synapse_count, size_voxels, mean_confidence
    FROM root_edge WHERE run_id = (SELECT run_id FROM chosen)
    AND roots_id = (SELECT roots_id FROM roots WHERE name = :roots)
)
SELECT pre_id AS partner_id, count(*) AS neurons, sum(synapse_count)::bigint AS synapse_count
FROM edges WHERE post_id = ANY(:neurons)
GROUP BY pre_id HAVING count(*) >= :at_least ORDER BY 2 DESC, 3 DESC, 1
