-- Paths from one neuron to another, no neuron twice: the shortest first, then those with the strongest weakest edge
-- :source bigint: where paths begin
-- :target bigint: where they end
-- :max_hops integer = 3: at most so many edges
-- :limit bigint = 100: at most so many rows
-- over edges

, back(neuron_id, hops) AS (
    SELECT CAST(:target AS bigint), 0
    UNION
    SELECT e.pre_id, back.hops + 1 FROM back JOIN edges e ON e.post_id = back.neuron_id
    WHERE back.hops < :max_hops AND e.pre_id <> e.post_id
), distance AS MATERIALIZED (
    SELECT neuron_id, min(hops) AS hops FROM back GROUP BY neuron_id
), path(last_id, neurons, hops, weakest, synapses) AS (
    SELECT CAST(:source AS bigint), ARRAY[CAST(:source AS bigint)], 0, NULL::bigint, 0::bigint
    UNION ALL
    -- only neurons that can still reach the end in the hops left are followed, so that the search doesn't spread
    SELECT e.post_id, path.neurons || e.post_id, path.hops + 1, least(path.weakest, e.synapse_count),
           path.synapses + e.synapse_count
    FROM path JOIN edges e ON e.pre_id = path.last_id
    JOIN distance d ON d.neuron_id = e.post_id AND d.hops <= :max_hops - path.hops - 1
    WHERE path.last_id <> :target AND e.post_id <> ALL(path.neurons)
)
SELECT hops, weakest AS weakest_synapse_count, synapses AS synapse_count,
       array_to_string(neurons, ' > ') AS neurons
FROM path WHERE last_id = :target AND hops > 0
ORDER BY hops, weakest DESC, synapses DESC, neurons LIMIT :limit
