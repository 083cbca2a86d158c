"""What is known of all values of a column, where its values themselves are too many to be held at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.physical import is_float, is_string, to_numbers
from models.table.text import digests

NULL = np.int64(-0x5A17_9B3C_64D2_E1F7)  # the mark of null; that a value has it too is as unlikely as any collision


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of a column: how many rows and nulls, the range of its finite numbers, and its distinct values' marks.

    `low` and `high` are None for text and where there are no numbers; `marks` are sorted, and None where nobody asked.
    `date_format` is set where all values are dates written that way.
    """

    rows: int
    nulls: int
    low: float | int | None = None
    high: float | int | None = None
    marks: np.ndarray | None = None
    date_format: str | None = None

    @property
    def distinct(self) -> int:
        """How many different values there are, null not counted."""
        return len(self.all_marks)

    @property
    def all_marks(self) -> np.ndarray:
        """`marks`, of a column of which they were asked for."""
        assert self.marks is not None
        return self.marks


def marks_of(values: pa.Array) -> np.ndarray:
    """An int64 per row, the same wherever the same value of that type stands: the number itself, a text's digest."""
    kind = values.type
    if pt.is_null(kind):
        return np.full(len(values), NULL)
    if is_string(kind):
        coded = values.dictionary_encode()
        known = np.append(digests(coded.dictionary.to_pylist()), NULL)
        return known[coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]
    if is_float(kind):
        floats = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False) + 0.0  # -0.0 becomes 0.0
        floats[np.isnan(floats)] = np.nan
        marks = floats.view(np.int64)
    else:
        marks = to_numbers(values)[0].copy()
    marks[~np.asarray(values.is_valid())] = NULL
    return marks


def range_of(values: pa.Array, date_format: str | None = None) -> tuple[float | int, float | int] | None:
    """The least and greatest finite number of a column in its own units, or of the dates that its texts write."""
    kind = values.type
    if date_format is not None:
        stamps = pc.strptime(values.cast(pa.string()), format=date_format, unit="s", error_is_null=True)
        values, kind = stamps, stamps.type
    if pt.is_null(kind) or is_string(kind):
        return None
    if is_float(kind):
        numbers = values.drop_null().cast(pa.float64()).to_numpy(zero_copy_only=False)
        numbers = numbers[np.isfinite(numbers)]
    else:
        numbers, valid, _ = to_numbers(values)
        numbers = numbers[valid]
    return (numbers.min().item(), numbers.max().item()) if len(numbers) else None
