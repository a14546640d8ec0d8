-- How many synapses and partners given neurons have on each side; a neuron without any has zeros
-- :neurons bigint[]: the neurons, with commas between
-- over edges of neurons

SELECT neuron_id,
       coalesce(i.synapses, 0) AS input_synapses, coalesce(i.partners, 0) AS input_partners,
       coalesce(o.synapses, 0) AS output_synapses, coalesce(o.partners, 0) AS output_partners
FROM unnest(CAST(:neurons AS bigint[])) AS neuron_id
LEFT JOIN LATERAL (SELECT sum(synapse_count)::bigint AS synapses, count(*) AS partners
                   FROM edges WHERE post_id = neuron_id) i ON true
LEFT JOIN LATERAL (SELECT sum(synapse_count)::bigint AS synapses, count(*) AS partners
                   FROM edges WHERE pre_id = neuron_id) o ON true
ORDER BY neuron_id
