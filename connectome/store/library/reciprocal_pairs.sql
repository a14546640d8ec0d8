-- Pairs of neurons with edges both ways, each pair once
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
SELECT a.pre_id AS neuron_id, a.post_id AS other_id, a.synapse_count AS synapses_there,
       b.synapse_count AS synapses_back
FROM edges a JOIN edges b ON b.pre_id = a.post_id AND b.post_id = a.pre_id
WHERE a.pre_id < a.post_id AND a.synapse_count >= :min_synapses AND b.synapse_count >= :min_synapses
ORDER BY least(a.synapse_count, b.synapse_count) DESC, 1, 2
