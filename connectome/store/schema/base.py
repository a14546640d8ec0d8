"""Parts that all tables share: the naming convention, the declarative base, and column shorthands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import REAL, BigInteger, Double, Integer, MetaData, SmallInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table class; its metadata is what the migrations must equal."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


BY_RUN = {"postgresql_partition_by": "LIST (run_id)"}


def partition(table: str, run_id: int) -> str:
    """The table that holds a run's rows of a table partitioned by run."""
    return f"{table}_{int(run_id)}"


def run_key(*, comment: str = "The run that wrote the row") -> Mapped[int]:
    """The `run_id` that opens the primary key of a table partitioned by it; a partition goes with its run."""
    return mapped_column(Integer, primary_key=True, autoincrement=False, comment=comment)


def bigint(comment: str, *, key: bool = False) -> Mapped[int]:
    """A NOT NULL BIGINT column."""
    return mapped_column(BigInteger, primary_key=key, autoincrement=False, comment=comment)


def integer(comment: str, *, key: bool = False) -> Mapped[int]:
    """A NOT NULL INTEGER column."""
    return mapped_column(Integer, primary_key=key, autoincrement=False, comment=comment)


def smallint(comment: str, *, key: bool = False, default: str | None = None) -> Mapped[int]:
    """A NOT NULL SMALLINT column."""
    return mapped_column(
        SmallInteger, primary_key=key, autoincrement=False, server_default=default, comment=comment, nullable=False
    )


def real(comment: str) -> Mapped[float]:
    """A NOT NULL REAL column."""
    return mapped_column(REAL, comment=comment)


def double(comment: str) -> Mapped[float]:
    """A NOT NULL DOUBLE PRECISION column."""
    return mapped_column(Double, comment=comment)


def text(comment: str, *, key: bool = False) -> Mapped[str]:
    """A NOT NULL TEXT column."""
    return mapped_column(Text, primary_key=key, comment=comment)


def optional(kind: type[TypeEngine[Any]], comment: str) -> Mapped[Any]:
    """A column that may be NULL."""
    return mapped_column(kind, nullable=True, comment=comment)
