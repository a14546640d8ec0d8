"""Cleft -> partners: candidates, the association network, the choice."""
