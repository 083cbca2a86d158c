"""The types that a declared column may have, and the number line on which each type's values stand.

Numbers stand for themselves, booleans are 0 and 1, dates count days since 1970, times and datetimes count seconds.
Texts have no place on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from models.table.constraints import literals
from models.table.physical import Units, from_numbers

TypeName = Literal["integer", "number", "decimal", "boolean", "category", "text", "date", "time", "datetime"]
Measure = Literal["number", "boolean", "text", "date", "time", "datetime"]

EXACT = 2.0**53  # whole numbers up to here are exact in float64
MICRO = 1_000_000
DIGITS = 15  # of a decimal: what float64, in which distributions are drawn, holds


@dataclass(frozen=True, slots=True)
class ValueType:
    """A column's type: its Arrow type, what its numbers measure, their grid (`step`, None for any float) and range."""

    name: TypeName
    arrow: pa.DataType
    measure: Measure
    step: float | None
    least: float
    most: float


_DAYS = (-719_162.0, 2_932_896.0)  # years 1 to 9999, as Python's dates
_TYPES: dict[str, ValueType] = {
    "integer": ValueType("integer", pa.int64(), "number", 1.0, -EXACT, EXACT),
    "number": ValueType("number", pa.float64(), "number", None, -np.inf, np.inf),
    "boolean": ValueType("boolean", pa.bool_(), "boolean", 1.0, 0.0, 1.0),
    "category": ValueType("category", pa.string(), "text", None, 0.0, 0.0),
    "text": ValueType("text", pa.string(), "text", None, 0.0, 0.0),
    "date": ValueType("date", pa.date32(), "date", 1.0, *_DAYS),
    "time": ValueType("time", pa.time64("us"), "time", 1.0, 0.0, 86_399.0),
    "datetime": ValueType(
        "datetime", pa.timestamp("us"), "datetime", 1.0, _DAYS[0] * 86_400, _DAYS[1] * 86_400 + 86_399
    ),
}


def type_named(name: TypeName, scale: int | None = None) -> ValueType:
    """The type of a column; `scale` are the places of a decimal after its point, 2 unless said."""
    if name != "decimal":
        return _TYPES[name]
    places = 2 if scale is None else scale
    most = 10.0 ** (DIGITS - places) - 10.0**-places
    return ValueType("decimal", pa.decimal128(DIGITS, places), "number", 10.0**-places, -most, most)


def number_of(value: Any, kind: ValueType) -> float:
    """A JSON value on the number line of a type. Raises ValueError."""
    if kind.measure in ("number", "boolean"):
        if not isinstance(value, int | float) or isinstance(value, bool) != (kind.measure == "boolean"):
            raise ValueError(f"{value!r} is no {kind.name}")
        if isinstance(value, int) and abs(value) > EXACT:
            raise ValueError(f"{value!r} has more digits than float64 holds")
        number = float(value)
        if number != number or number in (np.inf, -np.inf):
            raise ValueError(f"{value!r} is no finite number")
        return number
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no {kind.name}; write ISO 8601 text, such as {_EXAMPLES[kind.measure]!r}")
    try:
        numbers, valid = numbers_of(literals([value], kind.arrow))
    except ValueError:
        raise ValueError(f"{value!r} is no {kind.name}; write ISO 8601, such as {_EXAMPLES[kind.measure]!r}") from None
    assert valid[0]
    return float(numbers[0])


_EXAMPLES = {"date": "2024-01-31", "time": "08:30:00", "datetime": "2024-01-31T08:30:00", "text": "a text"}


def numbers_of(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, valid) of an Arrow array of any of the types but texts; float64."""
    valid, kind = np.asarray(array.is_valid()), array.type
    if pt.is_date32(kind):
        array = array.cast(pa.int32())
    elif pt.is_timestamp(kind) or pt.is_time64(kind):
        array = array.cast(pa.int64())
    numbers = array.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy(zero_copy_only=False)
    return (numbers / MICRO if pt.is_timestamp(kind) or pt.is_time64(kind) else numbers), valid


def array_of(numbers: np.ndarray, valid: np.ndarray, kind: ValueType) -> pa.Array:
    """Numbers on the line of a type as an Arrow array of it, rounded to its grid; where not `valid`, null."""
    if kind.name == "decimal":
        scale = kind.arrow.scale
        whole = np.rint(np.where(valid, numbers, 0.0) * 10.0**scale).astype(np.int64)
        return from_numbers(whole, valid, Units(digits=scale), kind.arrow)
    if kind.name == "number":
        return pa.array(numbers, type=kind.arrow, mask=~valid, from_pandas=False)
    if kind.measure == "boolean":
        return pa.array(numbers >= 0.5, mask=~valid)
    whole = np.rint(np.where(valid, numbers, 0.0)).astype(np.int64)
    if kind.measure in ("time", "datetime"):
        whole = whole * MICRO
    made = pa.array(whole, mask=~valid)
    return (made.cast(pa.int32()) if kind.measure == "date" else made).cast(kind.arrow)
