"""Scores of a connectome against an annotated one."""
