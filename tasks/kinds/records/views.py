"""Source and synthetic table side by side as plain arrays, coded alike, for rules and figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.codec import plain_values
from models.table.columns import role_of
from models.table.physical import dates_of_strings, is_string, to_numbers

MADE_ANEW = ("text", "key")  # roles whose values are invented, so that comparing them would say nothing


@dataclass(frozen=True, slots=True)
class View:
    """One column of both tables. `codes` number the distinct values over both, null being -1.

    `source` and `synthetic` are float64 with NaN for null where the column is a number or a date, otherwise None.
    `labels` are the strings behind the codes where it is a category.
    """

    name: str
    type: str
    role: str
    source_codes: np.ndarray
    synthetic_codes: np.ndarray
    source: np.ndarray | None = None
    synthetic: np.ndarray | None = None
    labels: list[str] | None = None
    source_array: pa.Array | None = None

    @property
    def is_number(self) -> bool:
        return self.source is not None


def side_by_side(
    source: pa.Table, synthetic: pa.Table, roles: Mapping[str, str] | None = None, without: Collection[str] = ()
) -> list[View]:
    """Views of all columns but those `without`, in order. The tables have equal schemas.

    `roles` tell how columns are treated, where they are known: what a table is treated by need not show in a sample.
    """
    known = roles or {}
    return [
        _view(name, plain_values(source[name]), plain_values(synthetic[name]), known.get(name))
        for name in source.schema.names
        if name not in without
    ]


def _view(name: str, source: pa.Array, synthetic: pa.Array, known: str | None) -> View:
    role, rows = known or role_of(name, source), len(source)
    both = pa.concat_arrays([source, synthetic])
    kind = str(source.type)
    if is_string(both.type) or pt.is_boolean(both.type):
        dates = dates_of_strings(both) if role == "date" else None
        if dates is not None:
            numbers, valid, _ = dates
            return _number(name, kind, role, numbers, valid, rows, source)
        if pt.is_boolean(both.type):
            both, role = pc.if_else(both, "true", "false"), "category" if role == "number" else role
        coded = both.dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return View(name, kind, role, codes[:rows], codes[rows:], labels=coded.dictionary.to_pylist())
    if pt.is_null(both.type):
        codes = np.full(len(both), -1)
        return View(name, kind, role, codes[:rows], codes[rows:])
    numbers, valid, units = to_numbers(both)
    return _number(name, kind, role, numbers, valid, rows, source, units.digits or 0)


def _number(
    name: str,
    kind: str,
    role: str,
    numbers: np.ndarray,
    valid: np.ndarray,
    rows: int,
    array: pa.Array,
    digits: int = 0,
) -> View:
    codes = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    codes[~valid] = -1
    floats = numbers / 10.0**digits
    floats[~valid | ~np.isfinite(floats)] = np.nan
    return View(name, kind, role, codes[:rows], codes[rows:], floats[:rows], floats[rows:], source_array=array)
