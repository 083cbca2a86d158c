"""What is public of each column, and its rows seen through that: values outside of it are drawn in, row by row.

Nothing else of the rows decides how a column is treated, so that one row more or less changes one count of each table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.codec import plain_values
from models.table.columns import role_of
from models.table.constraints import literals
from models.table.declared.template import parse_template
from models.table.physical import (
    SECONDS,
    Units,
    dates_of_strings,
    is_float,
    is_number,
    is_string,
    to_numbers,
    value_type,
)
from models.table.private.grid import Grid
from models.table.private.settings import SOURCE, Privacy

MOST_VALUES = 4_096
MOST_DIGITS = 18  # of decimals, as 64-bit numbers hold them


@dataclass(frozen=True, slots=True)
class Numbers:
    """A range of numbers, dates or times: a grid in the column's own `units`."""

    units: Units
    grid: Grid
    nulls: bool

    def read(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """(numbers within the range, valid) of a column; what is no number, or no date of the format, is not valid."""
        kind, valid = column.type, np.asarray(column.is_valid())
        if is_string(kind):
            texts = column.cast(pa.string())
            stamps = pc.strptime(texts, format=self.units.date_format, unit="s", error_is_null=True)
            same = pc.equal(pc.strftime(stamps, format=self.units.date_format), texts).fill_null(False)
            numbers, valid = _whole(stamps), np.asarray(same)
        elif is_float(kind):
            numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
            valid &= ~np.isnan(numbers)
            numbers = np.where(valid, numbers, self.grid.low) * 10.0 ** (self.units.digits or 0)
            numbers = np.clip(numbers, float(self.grid.low), float(self.grid.high))
            if self.grid.whole:
                numbers = np.rint(numbers).astype(np.int64)
        else:
            numbers = to_numbers(column)[0]
        return np.clip(numbers, self.grid.low, self.grid.high), valid


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a category; a text that is none of them counts as null."""

    values: tuple[str, ...]
    nulls: bool

    def read(self, column: pa.Array) -> pa.Array:
        """The column without texts that are not listed."""
        known = pc.is_in(column, value_set=pa.array(self.values, column.type))
        return pc.if_else(known, column, pa.scalar(None, column.type))


@dataclass(frozen=True, slots=True)
class Made:
    """Texts that are made up by a template; the source's are not looked at."""

    template: str


@dataclass(frozen=True, slots=True)
class Key:
    """Whole numbers that count the rows; the source's are not looked at."""


@dataclass(frozen=True, slots=True)
class Empty:
    """A column of Arrow's null type, or one that the source says is empty."""


Public = Numbers | Values | Made | Key | Empty


def check_told(schema: pa.Schema, privacy: Privacy, primary_key: str | None = None) -> None:
    """Raise ValueError, naming columns, where the settings do not say what is public, or cannot be. Looks at no row."""
    known = set(schema.names)
    for name in privacy.public:
        if name not in (*known, "*"):
            raise ValueError(f"public names {name!r}, which is no column of the source")
    if privacy.target is not None and privacy.target not in known:
        raise ValueError(f"target is {privacy.target!r}, which is no column of the source")
    for field in schema:
        entry, kind = privacy.of(field.name), field.type
        read = entry is not None and (entry == SOURCE or "min" in entry)
        if read and (pt.is_uint64(kind) or (pt.is_decimal(kind) and kind.precision > MOST_DIGITS)):
            # one such value would decide whether the fit comes about at all
            raise ValueError(f"{field.name!r} is {kind}, of which values may not fit into 64 bits; cast it to int64")
    silent = [f.name for f in schema if privacy.of(f.name) is None and not _self_evident(f.type)]
    if silent:
        raise ValueError(
            f"nothing says what is public of {', '.join(map(repr, silent))}; write min and max, values, a template or "
            'key for each, or "source" (for all: "*": "source") to take it from the source and give it away'
        )
    for column in schema:
        entry = privacy.of(column.name)
        if entry is not None and entry != SOURCE:
            declared(column, entry)
        elif is_string(value_type(column.type)) and column.name == primary_key:
            raise ValueError(f"the primary key {column.name!r} is text; write a template for it, such as {{uuid}}")


def public_of(table: pa.Table, privacy: Privacy, primary_key: str | None = None) -> dict[str, Public]:
    """What is public of every column. Raises ValueError, naming the column, for what cannot be had from the source."""
    check_told(table.schema, privacy, primary_key)
    found: dict[str, Public] = {}
    for column in table.schema:
        entry = privacy.of(column.name)
        if pt.is_null(column.type):
            found[column.name] = Empty()
        elif pt.is_boolean(column.type) and isinstance(entry, str | None):
            found[column.name] = Numbers(Units(), Grid(0, 1, whole=True), column.nullable)
        elif entry == SOURCE:
            found[column.name] = of_source(column, table[column.name], primary_key=column.name == primary_key)
        else:
            assert entry is not None
            found[column.name] = declared(column, entry)
    return found


def declared(column: pa.Field, entry: Mapping[str, Any] | str) -> Public:
    """What the settings declare of a column. Raises ValueError, naming it, where that does not suit its type."""
    assert not isinstance(entry, str)
    kind, name = value_type(column.type), column.name
    nulls = bool(entry.get("nulls", column.nullable))
    if "key" in entry:
        if not pt.is_integer(kind):
            raise ValueError(f"{name!r} is {kind}, and a key is whole numbers; write a template such as {{row}}")
        return Key()
    if "template" in entry or "values" in entry:
        if not is_string(kind):
            what = "a template" if "template" in entry else "a list of values"
            raise ValueError(f"{name!r} is {kind}, and {what} is for texts; write min and max")
        if "template" in entry:
            try:
                parse_template(entry["template"], ())
            except ValueError as error:
                raise ValueError(f"the template of {name!r}: {error}") from error
            return Made(entry["template"])
        if len(entry["values"]) > MOST_VALUES:
            raise ValueError(f"{name!r} has {len(entry['values']):,} values, and {MOST_VALUES:,} are possible")
        return Values(tuple(entry["values"]), nulls)
    return _range(name, kind, entry, nulls)


def of_source(column: pa.Field, values: pa.ChunkedArray, *, primary_key: bool = False) -> Public:
    """What the source says of a column, which is thereby given away: range, values, whether there are nulls."""
    plain, name = plain_values(values), column.name
    role, nulls = role_of(name, plain, primary_key=primary_key), plain.null_count > 0
    if role == "empty":
        return Empty()
    if role == "key":
        return Key()
    if role == "text":
        raise ValueError(
            f"{name!r} is free text, which cannot be learned under differential privacy; write a template for it in "
            'public, such as {"template": "{first_name} {last_name}"}, or leave the column out of the source'
        )
    if role == "category":
        listed = values.unify_dictionaries().chunk(0).dictionary if pt.is_dictionary(column.type) else plain.unique()
        texts = [text for text in listed.to_pylist() if text is not None]
        if len(texts) > MOST_VALUES:
            raise ValueError(f"{name!r} has {len(texts):,} different values, and {MOST_VALUES:,} are possible")
        return Values(tuple(texts if pt.is_dictionary(column.type) else sorted(texts)), nulls)
    read = dates_of_strings(plain) if is_string(plain.type) else to_numbers(plain)
    assert read is not None
    numbers, valid, units = read
    kept = numbers[valid & np.isfinite(numbers)]
    if not len(kept):
        raise ValueError(f"{name!r} has no finite number; leave it out of the source")
    low, high, whole = kept.min().item(), kept.max().item(), numbers.dtype == np.int64
    if low == high and not whole:
        high = low + 1e-9 * max(abs(low), 1.0)
    return Numbers(units, _grid(name, low, high, whole), nulls or bool(np.isnan(numbers[valid]).any()))


def _self_evident(kind: pa.DataType) -> bool:
    return pt.is_boolean(kind) or pt.is_null(kind)


def _range(name: str, kind: pa.DataType, entry: Mapping[str, Any], nulls: bool) -> Numbers:
    bounds = [entry["min"], entry["max"]]
    if not (is_number(kind) or is_string(kind)):
        raise ValueError(f"{name!r} is {kind}, which has no range")
    if "decimals" in entry and not is_float(kind):
        raise ValueError(f"decimals of {name!r} go with a floating-point column, and it is {kind}")
    try:
        if is_string(kind):
            read = dates_of_strings(literals(bounds, pa.string()))
            if read is None:
                raise ValueError("they are no dates of one format; texts have values or a template")
            numbers, _, units = read
        elif is_float(kind):
            digits = entry.get("decimals")
            numbers, units = np.array(bounds, np.float64) * 10.0 ** (digits or 0), Units(digits=digits)
            numbers = numbers if digits is None else np.rint(numbers).astype(np.int64)
        else:
            numbers, _, units = to_numbers(literals(bounds, kind))
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise ValueError(f"min and max of {name!r}: {error}") from error
    low, high = numbers.tolist()
    if not low < high:
        raise ValueError(f"min of {name!r} is not below its max")
    return Numbers(units, _grid(name, low, high, numbers.dtype == np.int64), nulls)


def _grid(name: str, low: float | int, high: float | int, whole: bool) -> Grid:
    if not np.isfinite(float(high) - float(low)) or (whole and high - low >= 2**62):
        raise ValueError(f"the range of {name!r} is too wide")
    return Grid(low, high, whole)


def _whole(stamps: pa.Array) -> np.ndarray:
    numbers: np.ndarray = stamps.cast(SECONDS).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return numbers
