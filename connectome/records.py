"""Records that travel between packages: tables of arrays, annotated synapses, progress.

A table is written down once, here: what COPY writes, what queries read and what stages hand on follow from its columns.
Axes are z, y, x. A vector is one array (n, 3); in SQL it is three columns, spelled by the column's own pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_ID = 2**63 - 1
"""Of a segment, a neuron or a synapse: what PostgreSQL's BIGINT holds."""
AXES = "zyx"


class Role(StrEnum):
    """The two sides of a synapse."""

    PRE = "pre"
    POST = "post"


class CleftState(StrEnum):
    """The state of a cleft: assigned, or why it has no synapse.

    Fewer than two segments touch it, its synapse scores less than the run's minimum, or it was merged into another's.
    """

    DETECTED = "detected"
    ASSIGNED = "assigned"
    NO_PARTNERS = "no_partners"
    LOW_SCORE = "low_score"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        dtype: of the array.
        unit: of its values; empty: a number without one.
        spelled: the names of a vector's SQL columns, with {} in the place of the axis; empty: no vector, the column has
            its own name in SQL.
        table: the SQL table that it is read from; empty: the table's own. Others' columns are read, not written.
    """

    dtype: str
    unit: str = ""
    spelled: str = ""
    table: str = ""

    def sql_names(self, name: str) -> tuple[str, ...]:
        """Its columns in SQL; `name`: of the field."""
        return tuple(self.spelled.format(axis) for axis in AXES) if self.spelled else (name,)


def _column(dtype: str, unit: str = "", *, spelled: str = "", table: str = "") -> dict[str, Column]:
    return {"column": Column(dtype, unit, spelled, table)}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Arrays of one length, one row a position; vectors are (n, 3) in z, y, x."""

    table: ClassVar[str] = ""
    """Of the SQL table that holds such rows."""

    @classmethod
    def described(cls) -> dict[str, Column]:
        """The columns by name."""
        return {one.name: one.metadata["column"] for one in fields(cls)}

    @classmethod
    def columns(cls) -> dict[str, str]:
        """The SQL columns: name -> the SQL table that has it."""
        described = cls.described().items()
        return {one: column.table or cls.table for name, column in described for one in column.sql_names(name)}

    @classmethod
    def of_sql(cls, columns: Mapping[str, NDArray[Any]]) -> Self:
        """From SQL columns by name, others' included."""
        import numpy as np  # questions need these ids and names, but no arrays

        values = {}
        for name, column in cls.described().items():
            parts = [columns[one] for one in column.sql_names(name)]
            values[name] = np.asarray(np.stack(parts, 1) if column.spelled else parts[0], column.dtype)
        return cls(**values)

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        import numpy as np

        described = cls.described().items()
        return cls(**{name: np.zeros((0, 3) if c.spelled else 0, c.dtype) for name, c in described})

    @classmethod
    def concatenated(cls, tables: Iterable[Self]) -> Self:
        """The rows of all tables, one table after the other."""
        import numpy as np

        parts = [cls.empty(), *tables]
        return cls(**{name: np.concatenate([getattr(one, name) for one in parts]) for name in cls.described()})

    def to_sql(self) -> dict[str, NDArray[Any]]:
        """The columns of the SQL table, by name."""
        values: dict[str, NDArray[Any]] = {}
        for name, column in self.described().items():
            array = getattr(self, name)
            if not column.table:
                names = column.sql_names(name)
                values |= dict(zip(names, array.T, strict=True)) if column.spelled else {name: array}
        return values

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Self:
        """The rows at some places, or those that a mask marks."""
        return type(self)(**{name: getattr(self, name)[rows] for name in self.described()})

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))


@dataclass(frozen=True, kw_only=True)
class Fragments(Table):
    """The connected pieces of cleft voxels of one block, counted over the block's own voxels.

    Attributes:
        fragment_id: 1 + the C-order index of the first voxel in the whole volume.
        index_sum: sums of voxel indices: exact, so sums over blocks are exact too.
        start, stop: bounding boxes, stop exclusive.
        score_sum, score_max: of the uint8 strength.
    """

    table: ClassVar[str] = "fragment"
    fragment_id: NDArray[np.int64] = field(metadata=_column("int64"))
    size_voxels: NDArray[np.int64] = field(metadata=_column("int64", "voxels"))
    index_sum: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="sum_{}"))
    start: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="start_{}"))
    stop: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="stop_{}"))
    score_sum: NDArray[np.int64] = field(metadata=_column("int64"))
    score_max: NDArray[np.int16] = field(metadata=_column("int16"))


@dataclass(frozen=True, kw_only=True)
class Clefts(Table):
    """Connected objects of cleft voxels.

    Attributes:
        cleft_id: 1 + the C-order index of the first voxel in the whole volume: follows from position alone.
        size_voxels: voxels at the working resolution.
        centre: the working voxel that a patch is centred on: the mean voxel index, floored.
        start, stop: bounding boxes in working voxels, stop exclusive; SQL has their corners in nm.
        centroid_nm: mean of the voxels' centres.
        mean_score, max_score: the detector's output over the voxels, in [0, 1].
    """

    table: ClassVar[str] = "cleft"
    cleft_id: NDArray[np.int64] = field(metadata=_column("int64"))
    size_voxels: NDArray[np.int64] = field(metadata=_column("int64", "voxels"))
    centre: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="centre_{}"))
    start: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="start_{}_nm"))
    stop: NDArray[np.int64] = field(metadata=_column("int64", "voxels", spelled="stop_{}_nm"))
    centroid_nm: NDArray[np.float64] = field(metadata=_column("float64", "nm", spelled="{}_nm"))
    mean_score: NDArray[np.float32] = field(metadata=_column("float32"))
    max_score: NDArray[np.float32] = field(metadata=_column("float32"))


@dataclass(frozen=True, kw_only=True)
class Candidates(Table):
    """Segments near clefts with their score in one role, in [0, 1]; `role`: pre or post."""

    table: ClassVar[str] = "candidate"
    cleft_id: NDArray[np.int64] = field(metadata=_column("int64"))
    segment_id: NDArray[np.uint64] = field(metadata=_column("uint64"))
    role: NDArray[np.str_] = field(metadata=_column("<U4"))
    score: NDArray[np.float32] = field(metadata=_column("float32"))
    contact_voxels: NDArray[np.int64] = field(metadata=_column("int64", "voxels"))


@dataclass(frozen=True, kw_only=True)
class Synapses(Table):
    """Clefts with their chosen partners, distinct in (cleft, pre, post).

    Attributes:
        confidence: probability that a synapse is correct, in [0, 1]; without a fitted model its raw score, which is
            mean cleft score times both partner scores; NaN where an import doesn't know it.
        size_voxels, centroid_nm: of its cleft.
    """

    table: ClassVar[str] = "synapse"
    cleft_id: NDArray[np.int64] = field(metadata=_column("int64"))
    pre_segment_id: NDArray[np.int64] = field(metadata=_column("int64"))
    post_segment_id: NDArray[np.int64] = field(metadata=_column("int64"))
    confidence: NDArray[np.float64] = field(metadata=_column("float64"))
    size_voxels: NDArray[np.int64] = field(metadata=_column("int64", "voxels", table="cleft"))
    centroid_nm: NDArray[np.float64] = field(metadata=_column("float64", "nm", spelled="{}_nm", table="cleft"))


@dataclass(frozen=True, kw_only=True)
class AssignedSynapses(Synapses):
    """Synapses as a build writes them.

    Attributes:
        pre_score, post_score: of the partners in their roles, in [0, 1].
        pre_point_nm, post_point_nm: a point inside each partner beside the cleft.
    """

    pre_score: NDArray[np.float64] = field(metadata=_column("float64"))
    post_score: NDArray[np.float64] = field(metadata=_column("float64"))
    pre_point_nm: NDArray[np.float64] = field(metadata=_column("float64", "nm", spelled="pre_{}_nm"))
    post_point_nm: NDArray[np.float64] = field(metadata=_column("float64", "nm", spelled="post_{}_nm"))


@dataclass(frozen=True, kw_only=True)
class Edges(Table):
    """All synapses from one segment to another, added up.

    Attributes:
        size_voxels: of all their clefts.
        mean_confidence: NaN where none of them has one.
    """

    table: ClassVar[str] = "edge"
    pre_segment_id: NDArray[np.int64] = field(metadata=_column("int64"))
    post_segment_id: NDArray[np.int64] = field(metadata=_column("int64"))
    synapse_count: NDArray[np.int64] = field(metadata=_column("int64"))
    size_voxels: NDArray[np.int64] = field(metadata=_column("int64", "voxels"))
    mean_confidence: NDArray[np.float64] = field(metadata=_column("float64"))


EDGE_SUMS = """count(*)::integer AS synapse_count, coalesce(sum(size_voxels), 0)::bigint AS size_voxels,
           avg(confidence)::double precision AS mean_confidence"""
"""The columns of an edge as SQL, wherever synapses with their clefts are added up."""


@dataclass(frozen=True, kw_only=True)
class ReferenceSynapse:
    """One annotated synapse: its cleft label, its partners, its cleft's centroid in voxels of the segmentation."""

    cleft_id: int
    pre_segment_id: int
    post_segment_id: int
    centroid_voxel: tuple[float, float, float]
    size_voxels: int


class Progress(Protocol):
    """How long work reports itself; the command line shows it as a bar on stderr."""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Begin a stage of `total` units, `done` of them already finished."""

    def advance(self, amount: int) -> None:
        """Report `amount` more units of the stage."""

    def note(self, text: str) -> None:
        """Show `text` beside the stage until the next note."""

    def say(self, text: str) -> None:
        """Tell something that stays."""

    def finish(self) -> None:
        """End the stage."""


class NoProgress:
    """Progress that shows nothing."""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        """Ignore."""

    def advance(self, amount: int) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""

    def say(self, text: str) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""
