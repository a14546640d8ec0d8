-- How many clefts, synapses, edges and neurons a run has
-- over synapses

SELECT (SELECT count(*) FROM cleft WHERE run_id = :run_id) AS clefts, count(*) AS synapses,
       (SELECT count(*) FROM edges) AS edges,
       (SELECT count(*) FROM (SELECT pre_id FROM edges UNION SELECT post_id FROM edges) AS neurons) AS neurons,
       avg(confidence)::float8 AS mean_confidence, count(*) - count(confidence) AS synapses_of_unknown_confidence
FROM synapses
