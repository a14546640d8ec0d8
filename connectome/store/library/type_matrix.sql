-- Synapses from type to type, among annotated neurons
-- :label text = type: the annotation that is the type
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
), types AS (
    SELECT neuron_id, value AS type FROM annotation
    WHERE label = :label AND roots_id = coalesce((SELECT roots_id FROM roots WHERE name = :roots), 0)
)
SELECT p.type AS pre_type, q.type AS post_type, sum(e.synapse_count)::bigint AS synapse_count, count(*) AS edges
FROM edges e JOIN types p ON p.neuron_id = e.pre_id JOIN types q ON q.neuron_id = e.post_id
GROUP BY 1, 2 ORDER BY 1, 2
