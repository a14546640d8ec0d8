"""Joins volumes, science and store: builds, their resumption, scores and graphs."""
