-- How many edges have so many synapses, bins doubling in width
-- over edges

SELECT 1::bigint << bin AS start_synapses, 1::bigint << (bin + 1) AS stop_synapses, count(*) AS edges
FROM (SELECT floor(log(2.0, synapse_count::numeric) + 1e-9)::integer AS bin FROM edges) AS weights
GROUP BY bin ORDER BY bin
