-- Synapses and partners of every neuron on each side, those with the most synapses first
-- :limit bigint = 1000: at most so many rows
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
), sides AS (
    SELECT post_id AS neuron_id, synapse_count AS received, 0 AS sent FROM edges
    UNION ALL
    SELECT pre_id, 0, synapse_count FROM edges
)
SELECT neuron_id, sum(received)::bigint AS input_synapses, count(*) FILTER (WHERE received > 0) AS input_partners,
       sum(sent)::bigint AS output_synapses, count(*) FILTER (WHERE sent > 0) AS output_partners
FROM sides GROUP BY neuron_id ORDER BY sum(received) + sum(sent) DESC, neuron_id LIMIT :limit
