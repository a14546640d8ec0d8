"""Column shorthands that the migrations use; all NOT NULL with a comment. Never change one: write a new one."""

from __future__ import annotations

import sqlalchemy as sa


def bigint(name: str, comment: str) -> sa.Column[int]:
    """A NOT NULL BIGINT column."""
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False, comment=comment)


def integer(name: str, comment: str) -> sa.Column[int]:
    """A NOT NULL INTEGER column."""
    return sa.Column(name, sa.Integer, nullable=False, autoincrement=False, comment=comment)


def identity(name: str, comment: str) -> sa.Column[int]:
    """An INTEGER column that numbers its rows."""
    return sa.Column(name, sa.Integer, sa.Identity(always=True), nullable=False, comment=comment)


def real(name: str, comment: str) -> sa.Column[float]:
    """A NOT NULL REAL column."""
    return sa.Column(name, sa.REAL, nullable=False, comment=comment)


def double(name: str, comment: str) -> sa.Column[float]:
    """A NOT NULL DOUBLE PRECISION column."""
    return sa.Column(name, sa.Double, nullable=False, comment=comment)


def text(name: str, comment: str) -> sa.Column[str]:
    """A NOT NULL TEXT column."""
    return sa.Column(name, sa.Text, nullable=False, comment=comment)
