"""What runs found: clefts, candidates, synapses, edges, written and read."""
