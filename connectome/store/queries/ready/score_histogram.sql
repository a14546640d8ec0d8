-- How many synapses have a confidence in each bin from 0 to 1
-- :bins integer = 20: how many bins
-- over synapses

SELECT (bin - 1)::float8 / :bins AS start, bin::float8 / :bins AS stop, count(confidence) AS synapses
FROM generate_series(1, :bins) AS bin
LEFT JOIN synapses ON least(floor(confidence * :bins)::integer, :bins - 1) = bin - 1
GROUP BY bin ORDER BY bin
