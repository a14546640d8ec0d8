-- All runs with their state and how many synapses and edges they have

SELECT name, kind, state, created_at, finished_at,
       (SELECT count(*) FROM synapse WHERE synapse.run_id = run.run_id) AS synapses,
       (SELECT count(*) FROM edge WHERE edge.run_id = run.run_id) AS edges
FROM run ORDER BY run_id
