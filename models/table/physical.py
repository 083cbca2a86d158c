"""Arrow columns as numbers and back, without losing a bit.

Every number-like Arrow type (integers, booleans, decimals, dates, times, durations, strings that are all dates) becomes
int64 units; floats become int64 units too when they lie on a decimal grid, and float64 otherwise. What cannot be
modelled (binary, nested, more than 64 bits) is refused by column name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

MAX_DIGITS = 9
EXACT = 2**53  # whole numbers up to here are exact in float64
SECONDS = pa.timestamp("s")  # at this unit Arrow writes %S without a fraction
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m",
    "%H:%M:%S",
    "%H:%M",
)


@dataclass(frozen=True, slots=True)
class Units:
    """How a column's numbers are written: whole units of 10^-`digits`, or plain floats when `digits` is None.

    `date_format` is set for strings that are dates; their units are seconds since 1970.
    """

    digits: int | None = 0
    date_format: str | None = None


def is_string(kind: pa.DataType) -> bool:
    return pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)


def is_float(kind: pa.DataType) -> bool:
    return pt.is_floating(kind)


def is_time(kind: pa.DataType) -> bool:
    """Dates, times of day, instants and durations."""
    return pt.is_temporal(kind) and not pt.is_interval(kind)


def is_number(kind: pa.DataType) -> bool:
    """Types that have a place on the number line."""
    return pt.is_integer(kind) or is_float(kind) or pt.is_boolean(kind) or pt.is_decimal(kind) or is_time(kind)


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values: a dictionary's own values, otherwise the type itself."""
    return kind.value_type if pt.is_dictionary(kind) else kind


def check_schema(schema: pa.Schema) -> None:
    """Refuse, by name, columns that cannot be modelled. Raises ValueError."""
    doubled = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if doubled:
        raise ValueError(f"column names must differ, but {', '.join(map(repr, doubled))} stands more than once")
    for field in schema:
        kind = value_type(field.type)
        if not (is_number(kind) or is_string(kind) or pt.is_null(kind)):
            raise ValueError(
                f"column {field.name!r} is {field.type}, which record models cannot imitate; "
                "drop it or turn it into numbers, text, dates or booleans"
            )


def to_numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray, Units]:
    """A number-like column as (numbers, valid, units); numbers are int64, or float64 where units.digits is None.

    Raises ValueError when the values need more than 64 bits.
    """
    kind = column.type
    valid = np.asarray(column.is_valid())
    if is_float(kind):
        numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        digits = _digits(np.unique(numbers[valid & np.isfinite(numbers)]), kind.to_pandas_dtype())
        if digits is None or not np.isfinite(numbers[valid]).all():
            return numbers, valid, Units(digits=None)
        return np.rint(numbers * 10.0**digits).astype(np.int64), valid, Units(digits=digits)
    if pt.is_decimal(kind):
        return _unscaled(column), valid, Units(digits=kind.scale)
    try:
        whole = column.cast(pa.int32()) if pt.is_date32(kind) or pt.is_time32(kind) else column
        numbers = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise ValueError(f"values beyond 64 bits: {error}") from error
    return numbers, valid, Units()


def from_numbers(numbers: np.ndarray, valid: np.ndarray, units: Units, kind: pa.DataType) -> pa.Array:
    """The inverse of `to_numbers`: an Arrow array of type `kind`."""
    if pt.is_decimal(kind):
        return _scaled(numbers.astype(np.int64), valid, kind)
    if is_float(kind):
        floats = numbers.astype(np.float64)
        if units.digits:
            floats = floats / 10.0**units.digits
        return pa.array(floats.astype(kind.to_pandas_dtype()), type=kind, mask=~valid, from_pandas=False)
    whole = pa.array(numbers.astype(np.int64), type=pa.int64(), mask=~valid)
    if units.date_format is not None:
        return pc.strftime(whole.cast(SECONDS), format=units.date_format).cast(kind)
    if pt.is_date32(kind) or pt.is_time32(kind):
        whole = whole.cast(pa.int32())
    return whole.cast(kind)


def dates_of_strings(column: pa.Array) -> tuple[np.ndarray, np.ndarray, Units] | None:
    """Strings that are all dates of one format, as (seconds, valid, units); None when they are not.

    A format counts only if writing the dates again gives the very same strings.
    """
    distinct = column.unique().drop_null()
    if len(distinct) == 0:
        return None
    distinct = distinct.cast(pa.string())
    for date_format in DATE_FORMATS:
        if reads_as(distinct[:100], date_format) and reads_as(distinct, date_format):
            stamps = pc.strptime(column.cast(pa.string()), format=date_format, unit="s", error_is_null=True)
            numbers = stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
            return numbers, np.asarray(column.is_valid()), Units(date_format=date_format)
    return None


def reads_as(strings: pa.Array, date_format: str) -> bool:
    """Whether every string is a date written in this format, to the letter."""
    stamps = pc.strptime(strings, format=date_format, unit="s", error_is_null=True)
    # strptime is laxer than people: it takes 30 February and single digits, which do not come back the same
    return stamps.null_count == 0 and pc.strftime(stamps, format=date_format).equals(strings)


def _digits(distinct: np.ndarray, dtype: type) -> int | None:
    """Decimal places that hold every value exactly; None when there are too many."""
    if len(distinct) == 0:
        return 0
    for digits in range(MAX_DIGITS + 1):
        scaled = distinct * 10.0**digits
        if np.abs(scaled).max() >= EXACT:
            return None
        if np.array_equal((np.rint(scaled) / 10.0**digits).astype(dtype), distinct.astype(dtype)):
            return digits
    return None


def _unscaled(column: pa.Array) -> np.ndarray:
    """The whole numbers behind a decimal column."""
    wide = column.cast(pa.decimal128(38, column.type.scale)).fill_null(0)
    words = np.frombuffer(wide.buffers()[1], dtype=np.int64).reshape(-1, 2)[wide.offset : wide.offset + len(wide)]
    low, high = words[:, 0], words[:, 1]
    if not np.array_equal(high, low >> 63):
        raise ValueError("decimals of more than 18 digits")
    return low.copy()


def _scaled(numbers: np.ndarray, valid: np.ndarray, kind: pa.DataType) -> pa.Array:
    words = np.stack([numbers, numbers >> 63], axis=1)
    validity = pa.array(valid).buffers()[1]
    wide = pa.Array.from_buffers(
        pa.decimal128(38, kind.scale), len(numbers), [validity, pa.py_buffer(np.ascontiguousarray(words))]
    )
    return wide.cast(kind)
