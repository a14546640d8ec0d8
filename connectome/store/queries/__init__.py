"""The questions that people ask a connectome, as SQL with bound parameters."""
