"""Findings of runs: clefts, candidates, synapses, edges, written and read."""
