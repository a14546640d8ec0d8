"""Engines compute the blocks of a stage: threads of this process, or the workers of a dask cluster."""
