"""Versions of the roots: which neuron a segment belongs to after proofreading."""

from __future__ import annotations

from connectome.store.database import Database


def roots_id(database: Database, name: str | None) -> int:
    """X"""
    return 0
