-- Partners of a neuron: inputs and outputs, the strongest first
-- :neuron bigint: the neuron
-- :min_synapses integer = 1: leave out edges of fewer synapses
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
SELECT 'input' AS direction, pre_id AS partner_id, synapse_count, size_voxels, mean_confidence
FROM edges WHERE post_id = :neuron AND synapse_count >= :min_synapses
UNION ALL
SELECT 'output', post_id, synapse_count, size_voxels, mean_confidence
FROM edges WHERE pre_id = :neuron AND synapse_count >= :min_synapses
ORDER BY direction, synapse_count DESC, partner_id
