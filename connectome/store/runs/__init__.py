"""Runs: their records, locks, blocks and progress."""
