-- Cosine similarity of the inputs of every two neurons of a list, weighted by synapses
-- :neurons bigint[]: the neurons, with commas between
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
), inputs AS MATERIALIZED (
    SELECT post_id AS neuron_id, pre_id, synapse_count::float8 AS weight FROM edges WHERE post_id = ANY(:neurons)
), norms AS (
    SELECT neuron_id, sqrt(sum(weight * weight)) AS norm FROM inputs GROUP BY neuron_id
)
SELECT a.neuron_id, b.neuron_id AS other_id, count(*) AS shared_inputs,
       sum(a.weight * b.weight) / (min(m.norm) * min(n.norm)) AS cosine_similarity
FROM inputs a JOIN inputs b ON a.pre_id = b.pre_id AND a.neuron_id < b.neuron_id
JOIN norms m ON m.neuron_id = a.neuron_id JOIN norms n ON n.neuron_id = b.neuron_id
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2
