"""A common number line for the columns of a table: numbers as they are, dates, times and durations in microseconds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from models.table.physical import Units, dates_of_strings, is_float, is_number, is_string

MICRO = 1_000_000
_PER_SECOND = {"s": 1, "ms": 1_000, "us": MICRO, "ns": 1_000_000_000}


def places(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, valid): where each value stands, int64 or float64. Raises ValueError for what has no order."""
    kind, valid = column.type, np.asarray(column.is_valid())
    if is_string(kind):
        read = dates_of_strings(column)
        if read is None and valid.any():
            raise ValueError(f"{name!r} is text, which is neither more nor less")
        seconds = np.zeros(len(column), np.int64) if read is None else read[0]
        return seconds * MICRO, valid
    if pt.is_null(kind):
        return np.zeros(len(column), np.int64), valid
    if not is_number(kind):
        raise ValueError(f"{name!r} is {kind}, which is neither more nor less")
    if is_float(kind) or pt.is_decimal(kind):
        floats = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        return floats, valid & ~np.isnan(floats)
    whole = column.cast(pa.int32()) if pt.is_date32(kind) or pt.is_time32(kind) else column
    try:
        numbers = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        raise ValueError(f"{name!r} has values beyond 64 bits") from None  # Arrow's own words tell the value
    up, down = _microseconds(kind)
    return numbers * up // down, valid


def units_per_place(kind: pa.DataType, units: Units) -> float:
    """How many of a column's own units (see `physical.to_numbers`) one step on the number line is."""
    if units.date_format is not None:
        return 1 / MICRO
    if is_float(kind) or pt.is_decimal(kind):
        return float(10.0 ** (units.digits or 0))
    up, down = _microseconds(kind)
    return down / up


def _microseconds(kind: pa.DataType) -> tuple[int, int]:
    """What to multiply and divide units of a type by to have microseconds; 1, 1 for numbers."""
    if pt.is_date32(kind):
        return 86_400 * MICRO, 1
    if pt.is_date64(kind):
        return 1_000, 1
    if pt.is_timestamp(kind) or pt.is_time(kind) or pt.is_duration(kind):
        per = _PER_SECOND[kind.unit]
        return (MICRO // per, 1) if per <= MICRO else (1, per // MICRO)
    return 1, 1
