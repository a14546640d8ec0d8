"""Fields: one column of somebody's synapse table, and how its values become this project's and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import SegmentIdError, TableError
from connectome.records import LARGEST_ID


class FieldKind(StrEnum):
    """The kind of a field's values."""

    ID = "id"
    WHOLE = "whole"
    SCORE = "score"
    POSITION = "position"


TYPES = {
    FieldKind.ID: pa.int64(),
    FieldKind.WHOLE: pa.int64(),
    FieldKind.SCORE: pa.float32(),
    FieldKind.POSITION: pa.float64(),
}
CSV_TYPES = {
    FieldKind.ID: pa.uint64(),
    FieldKind.WHOLE: pa.float64(),
    FieldKind.SCORE: pa.float64(),
    FieldKind.POSITION: pa.float64(),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of a synapse table.

    Attributes:
        ours: the column of the store.
        names: what the table calls it: all are read, the first is written.
        kind: what its values are.
        required: without it a table can't be read.
        per_unit: how many of theirs make one of ours; FlyWire's cleft scores of 0 to 255 have 255.
        written_as: the type that is written where it isn't ours.
    """

    ours: str
    names: tuple[str, ...]
    kind: FieldKind
    required: bool = False
    per_unit: float = 1.0
    written_as: pa.DataType | None = None

    @property
    def csv_type(self) -> pa.DataType:
        """What to read it from CSV as; ids never pass through doubles."""
        return CSV_TYPES[self.kind]

    @property
    def type(self) -> pa.DataType:
        """The type of our column."""
        return TYPES[self.kind]

    @property
    def written_type(self) -> pa.DataType:
        """The type of their column when it is written."""
        return self.written_as or self.type


def read_values(field: Field, column: pa.Array, unit_nm: float, where: str) -> pa.Array:
    """Their values as ours.

    Args:
        field: what they are.
        column: the values of one batch.
        unit_nm: nm a unit of positions.
        where: the file and column, for messages.

    Returns:
        Of the field's type; ids NULL or 0 stay so, scores outside 0 to 1 become NULL.

    Raises:
        SegmentIdError: an id of 2^63 or more. TableError: a value isn't what the field holds.
    """
    match field.kind:
        case FieldKind.ID:
            return read_ids(column, where)
        case FieldKind.WHOLE:
            return _whole(column, where)
        case FieldKind.SCORE:
            scores = _scores(field, column, where)
            return pc.if_else(_within(scores), scores, pa.scalar(None, pa.float64())).cast(pa.float32())
        case FieldKind.POSITION:
            return pc.multiply(_numbers(column, where), unit_nm)


def outside(field: Field, column: pa.Array, where: str) -> pa.Array:
    """True if each value is a score less than 0 or greater than 1 (bool, never NULL); NaN is none.

    Raises:
        TableError: a value isn't a number.
    """
    scores = _scores(field, column, where)
    told = pc.and_(pc.is_valid(scores), pc.invert(pc.fill_null(pc.is_nan(scores), True)))
    return pc.and_(told, pc.invert(pc.fill_null(_within(scores), True)))


def write_values(field: Field, column: pa.Array, unit_nm: float) -> pa.Array:
    """Our values as theirs; the inverse of `read_values`."""
    match field.kind:
        case FieldKind.ID | FieldKind.WHOLE:
            return column.cast(field.written_type)
        case FieldKind.SCORE:
            if field.per_unit == 1.0:
                return column.cast(field.written_type)
            return pc.multiply(column.cast(pa.float64()), field.per_unit).cast(field.written_type)
        case FieldKind.POSITION:
            return pc.divide(column.cast(pa.float64()), unit_nm).cast(field.written_type)


def read_ids(column: pa.Array, where: str) -> pa.Array:
    """Ids as int64, exactly; NULL stays NULL.

    Raises:
        SegmentIdError: an id of 2^63 or more. TableError: not whole numbers, or less than 0.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _cast(_digits(column), pa.uint64(), where)
    if not pa.types.is_integer(column.type):
        raise TableError(f"{where} holds {column.type}, where ids must be whole numbers: other types round large ids")
    if len(column) == column.null_count:
        return column.cast(pa.int64())
    bounds = pc.min_max(column)
    smallest, largest = bounds["min"].as_py(), bounds["max"].as_py()
    if largest > LARGEST_ID:
        raise SegmentIdError(f"{where} holds the id {largest}: ids go up to 2^63 - 1, relabel the table's segments")
    if smallest < 0:
        raise TableError(f"{where} holds the id {smallest}: ids are 0 or more")
    return column.cast(pa.int64())


def present(ids: pa.Array) -> pa.Array:
    """True if each id is one (bool, never NULL): 0 stands for none."""
    return pc.fill_null(pc.greater(ids, 0), False)


def _digits(column: pa.Array) -> pa.Array:
    """Ids as texts without blanks, NULL where empty; '12.0' is 12, as pandas writes a column that lacks some."""
    trimmed = pc.utf8_trim_whitespace(column)
    short = pc.replace_substring_regex(trimmed, r"^(\d{1,15})\.0*$", r"\1")
    return pc.if_else(pc.equal(short, ""), pa.scalar(None, short.type), short)


def _whole(column: pa.Array, where: str) -> pa.Array:
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    return _cast(_numbers(column, where), pa.int64(), where)


def _scores(field: Field, column: pa.Array, where: str) -> pa.Array:
    return pc.divide(_doubles(column, where), field.per_unit)


def _within(scores: pa.Array) -> pa.Array:
    return pc.and_(pc.greater_equal(scores, 0.0), pc.less_equal(scores, 1.0))


def _numbers(column: pa.Array, where: str) -> pa.Array:
    numbers = _doubles(column, where)
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _doubles(column: pa.Array, where: str) -> pa.Array:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64(), safe=False)
    return _cast(column, pa.float64(), where)


def _cast(column: pa.Array, target: pa.DataType, where: str) -> pa.Array:
    try:
        return column.cast(target)
    except pa.ArrowException as error:
        raise TableError(f"{where} holds what is no {_name(target)}: {str(error).splitlines()[0]}") from error


def _name(target: pa.DataType) -> str:
    return "whole number" if pa.types.is_integer(target) else "number"
