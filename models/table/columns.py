"""The four ways to treat a column: as a number, as a category, as text by manner, as a running key.

Each has `parts` (the tokens a model learns), `encode` and `decode`. Text that is nearly all different and running keys
are not learned, they are made anew, so that no name or id of the source comes out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.declared.template import parse_template, words
from models.table.facts import Facts
from models.table.number import COMMON, FEW_VALUES, NumberCodec, Part, fit_number
from models.table.physical import (
    Units,
    dates_of_strings,
    from_numbers,
    is_string,
    is_time,
    to_numbers,
    value_type,
)
from models.table.text import TextModel, digests, fit_text

FEW_TEXTS = 20
ADDED = "#:"  # begins the names of columns that programs add: counts and places, never keys
HEADROOM = 10_000  # at least so many new keys must fit above the source's highest
KEY_NAMES = ("id", "key", "index", "uuid", "guid", "rowid", "row_id", "row", "nr", "no", "number", "#")
KEY_ENDINGS = ("_id", "_key", "_no", "_nr", "_number", " id", " no", " number", "Id", "ID")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What decoding a column needs to know of its chunk: randomness, its first row's number, texts drawn so far."""

    rng: np.random.Generator
    first_row: int
    taken: set[str]


class Column(Protocol):
    """One column's codec; `type` is the Arrow type of its values."""

    role: str
    type: pa.DataType

    @property
    def parts(self) -> list[Part]: ...

    def encode(self, values: pa.Array) -> np.ndarray: ...

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array: ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(slots=True)
class NumberColumn:
    """Numbers, booleans, decimals, dates and times, and strings that are all dates of one format."""

    type: pa.DataType
    units: Units
    codec: NumberCodec
    role: str = "number"

    @property
    def parts(self) -> list[Part]:
        return self.codec.parts

    def encode(self, values: pa.Array) -> np.ndarray:
        if pt.is_null(self.type):
            return np.zeros((len(values), 0), dtype=np.int64)
        if values.null_count == len(values):  # nothing would tell the format of dates
            nothing = np.zeros(len(values), dtype=np.int64 if self.codec.whole else np.float64)
            return self.codec.encode(nothing, np.zeros(len(values), dtype=bool))
        read = dates_of_strings(values) if self.units.date_format else to_numbers(values)
        if read is None:
            raise ValueError(f"these strings are not dates written {self.units.date_format}")
        numbers, valid, units = read
        if units != self.units:
            numbers = numbers / 10.0 ** (units.digits or 0) * 10.0 ** (self.units.digits or 0)
        if self.codec.whole and numbers.dtype != np.int64:
            numbers = np.rint(np.nan_to_num(numbers)).astype(np.int64)
        return self.codec.encode(numbers, valid)

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array:
        if pt.is_null(self.type):
            return pa.nulls(len(tokens))
        numbers, valid = self.codec.decode(tokens, chunk.rng)
        return from_numbers(numbers, valid, self.units, self.type)

    def to_json(self) -> dict[str, Any]:
        units = {"digits": self.units.digits, "date_format": self.units.date_format}
        return {"units": units, "codec": self.codec.to_json()}


@dataclass(slots=True)
class CategoryColumn:
    """Strings that repeat, most frequent first. Above 256 values they become two codes, and those seen fewer than
    five times are pooled under one token and written anew in their manner."""

    type: pa.DataType
    nulls: bool
    values: list[str]
    manner: TextModel | None = None
    role: str = "category"
    _places: dict[str, int] = field(default_factory=dict)

    @property
    def first_value(self) -> int:
        return int(self.nulls) + int(self.manner is not None)

    @property
    def width(self) -> int:
        """Values per first code; 1 when a single code does."""
        return 1 if len(self.values) <= FEW_VALUES else math.isqrt(len(self.values) - 1) + 1

    @property
    def parts(self) -> list[Part]:
        first = Part(self.first_value + -(-len(self.values) // self.width))
        if self.width > 1:
            return [first, Part(1 + self.width, gate=self.first_value)]
        return [first] if first.size > 1 else []

    def encode(self, values: pa.Array) -> np.ndarray:
        if not self._places:
            self._places = {value: place for place, value in enumerate(self.values)}
        coded = values.dictionary_encode()
        rare = len(self.values) if self.manner is not None else 0  # without a pool, an unknown value is the commonest
        lookup = np.array([self._places.get(v, rare) for v in coded.dictionary.to_pylist()] or [0], dtype=np.int64)
        place = lookup[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        first = self.first_value + place // self.width
        first[place == len(self.values)] = int(self.nulls)
        valid = np.asarray(values.is_valid())
        first[~valid] = 0
        second = np.where(valid & (place < len(self.values)), 1 + place % self.width, 0)
        return np.stack([first, second], axis=1)[:, : len(self.parts)]

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array:
        spelling = np.random.default_rng(chunk.rng.integers(2**63))  # drawn even if unused: later columns stay put
        alone = self.first_value if self.values else int(self.nulls)  # what stands where there is nothing to choose
        first = tokens[:, 0] if tokens.shape[1] else np.full(len(tokens), alone)
        place = (first - self.first_value) * self.width
        if self.width > 1:
            place = place + np.maximum(tokens[:, 1] - 1, 0)
        place = np.minimum(place, len(self.values) - 1)
        null = (first == 0) & self.nulls
        chosen = pa.array(self.values, type=pa.large_string()).take(
            pa.array(np.maximum(place, 0), mask=null | (place < 0))
        )
        pooled = (first < self.first_value) & ~null
        if self.manner is not None and pooled.any():
            made = self.manner.draw(int(pooled.sum()), spelling)
            chosen = pc.replace_with_mask(chosen, pa.array(pooled), pa.array(made, type=pa.large_string()))
        return chosen

    def to_json(self) -> dict[str, Any]:
        manner = None if self.manner is None else self.manner.to_json()
        return {"nulls": self.nulls, "values": self.values, "manner": manner}


@dataclass(slots=True)
class TextColumn:
    """Strings that are nearly all different: only whether there is one is learned. `unique` ones never repeat."""

    type: pa.DataType
    nulls: bool
    unique: bool
    manner: TextModel
    role: str = "text"

    @property
    def parts(self) -> list[Part]:
        return [Part(2)] if self.nulls else []

    def encode(self, values: pa.Array) -> np.ndarray:
        return np.asarray(values.is_valid()).astype(np.int64)[:, None][:, : len(self.parts)]

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array:
        spelling = np.random.default_rng(chunk.rng.integers(2**63))
        texts = self.manner.draw(len(tokens), spelling, chunk.taken if self.unique else None)
        null = tokens[:, 0] == 0 if self.nulls else None
        return pa.array(np.array(texts, dtype=object), type=pa.large_string(), mask=null)

    def to_json(self) -> dict[str, Any]:
        return {"nulls": self.nulls, "unique": self.unique, "manner": self.manner.to_json()}


class _Unlearned:
    """A column that is made anew and has no tokens."""

    __slots__ = ()

    @property
    def parts(self) -> list[Part]:
        return []

    def encode(self, values: pa.Array) -> np.ndarray:
        return np.zeros((len(values), 0), dtype=np.int64)


@dataclass(slots=True)
class KeyColumn(_Unlearned):
    """Whole numbers that name a row: new ones, counted on from the source's highest."""

    type: pa.DataType
    start: int
    role: str = "key"

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array:
        first = self.start + chunk.first_row
        return pa.array(np.arange(first, first + len(tokens), dtype=np.int64)).cast(self.type)

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start}


@dataclass(slots=True)
class MadeColumn(_Unlearned):
    """Texts made up by a template (see `models.table.declared.template`) that names no column; nothing is learned."""

    type: pa.DataType
    template: str
    role: str = "made"

    def decode(self, tokens: np.ndarray, chunk: Chunk) -> pa.Array:
        rng, rows = np.random.default_rng(chunk.rng.integers(2**63)), len(tokens)
        template, lists = parse_template(self.template, ()), words()
        drawn = {name: lists[name].take(pa.array(rng.integers(len(lists[name]), size=rows))) for name in template.words}
        numbers = np.arange(chunk.first_row, chunk.first_row + rows) + 1
        return template.texts(drawn, numbers, rng).cast(pa.large_string())

    def to_json(self) -> dict[str, Any]:
        return {"template": self.template}


def role_of(name: str, values: pa.Array, *, primary_key: bool = False, facts: Facts | None = None) -> str:
    """How a column is treated: `empty`, `number`, `date`, `category`, `text` or `key`.

    With `facts`, `values` are no more than a sample of those that the facts tell of.
    """
    kind, rows, nulls = values.type, len(values), values.null_count
    if facts is not None:
        rows, nulls = facts.rows, facts.nulls
    if nulls == rows:
        return "empty"
    if name.startswith(ADDED):
        return "number"
    if is_string(kind):
        if primary_key:
            return "text"
        if (dates_of_strings(values) if facts is None else facts.date_format) is not None:
            return "date"
        distinct = pc.count_distinct(values).as_py() if facts is None else facts.distinct
        return "text" if distinct >= FEW_TEXTS and 2 * distinct > rows - nulls else "category"
    if pt.is_integer(kind) and (primary_key or _looks_like_a_key(name, values, facts)):
        return "key"
    return "date" if is_time(kind) and not pt.is_duration(kind) else "number"


def has_null(column: Column) -> bool:
    """Whether token 0 of the column's first part stands for null."""
    if isinstance(column, NumberColumn):
        return column.codec.nulls and bool(column.parts)
    return isinstance(column, CategoryColumn | TextColumn) and column.nulls and bool(column.parts)


def fit_column(name: str, values: pa.Array, *, primary_key: bool = False, facts: Facts | None = None) -> Column:
    """Choose the treatment of a column and learn it. Raises ValueError for values that it cannot hold.

    With `facts`, `values` are a sample; that a text or key is none of the source's still holds for all of its rows.
    """
    kind, nulls = values.type, values.null_count > 0
    empty = values.null_count == len(values)
    role = "empty" if empty else role_of(name, values, primary_key=primary_key, facts=facts)
    if role == "empty":
        nothing = NumberCodec(nulls=True, whole=True, atoms=np.zeros(0, np.int64))
        return NumberColumn(type=pa.null(), units=Units(), codec=nothing)
    if role == "text":
        texts = values.unique().drop_null().to_pylist()
        unique = len(texts) == len(values) - values.null_count
        manner = fit_text(sorted(texts))
        if facts is not None:
            unique, manner.known = facts.distinct == facts.rows - facts.nulls, facts.all_marks
        return TextColumn(type=kind, nulls=nulls, unique=unique, manner=manner)
    if role == "category":
        return _fit_category(values, facts)
    if role == "key":
        return KeyColumn(type=kind, start=_highest(values, facts) + 1)
    if primary_key:
        raise ValueError("a primary key must be text or whole numbers")
    read = dates_of_strings(values) if is_string(kind) else to_numbers(values)
    assert read is not None
    numbers, valid, units = read
    return NumberColumn(type=kind, units=units, codec=fit_number(numbers, valid, two_valued=pt.is_boolean(kind)))


def _fit_category(values: pa.Array, facts: Facts | None = None) -> CategoryColumn:
    counted = pc.value_counts(values.drop_null())
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    ranked = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    nulls = values.null_count > 0
    if len(ranked) <= FEW_VALUES:
        return CategoryColumn(type=values.type, nulls=nulls, values=[text for text, _ in ranked])
    rare = sorted(text for text, count in ranked if count < COMMON)
    common = [text for text, count in ranked if count >= COMMON]
    manner = fit_text(rare) if rare else None
    if manner is not None and facts is not None:  # what a sample lacks must not be made up either
        manner.known = np.setdiff1d(facts.all_marks, digests(common))
    return CategoryColumn(type=values.type, nulls=nulls, values=common, manner=manner)


def _highest(values: pa.Array, facts: Facts | None) -> int:
    """The highest of a key's values. Raises ValueError when the type has no room for new ones above it."""
    highest = int(pc.max(values).as_py() if facts is None or facts.high is None else facts.high)
    if highest + HEADROOM > min(np.iinfo(values.type.to_pandas_dtype()).max, 2**63 - 1):
        raise ValueError(f"a key of type {values.type} has no room for new values above its highest; use a wider type")
    return highest


def _looks_like_a_key(name: str, values: pa.Array, facts: Facts | None) -> bool:
    """Unique, never null, with room for new values, and either named like a key or counting the rows."""
    if facts is None:
        rows, nulls = len(values), values.null_count
        if nulls or rows < FEW_TEXTS or pc.count_distinct(values).as_py() < rows:
            return False
        low, high = pc.min_max(values).as_py().values()
    else:
        rows, low, high = facts.rows, facts.low, facts.high
        if facts.nulls or rows < FEW_TEXTS or facts.marks is None or facts.distinct < rows:
            return False
    if high + HEADROOM > min(np.iinfo(values.type.to_pandas_dtype()).max, 2**63 - 1):
        return False
    return name.lower() in KEY_NAMES or name.endswith(KEY_ENDINGS) or (low in (0, 1) and high - low == rows - 1)


def column_from_json(data: dict[str, Any], kind: pa.DataType, known: np.ndarray) -> Column:
    """The column that `to_json` described; `kind` is its Arrow value type, `known` the digests of its texts."""
    body, role = data["body"], data["role"]
    values = value_type(kind)

    def manner(described: dict[str, Any]) -> TextModel:
        return TextModel(habits=described["habits"], shapes=described["shapes"], known=known)

    if role == "number":
        codec = NumberCodec.from_json(body["codec"])
        return NumberColumn(type=pa.null() if data["empty"] else values, units=Units(**body["units"]), codec=codec)
    if role == "category":
        rare = None if body["manner"] is None else manner(body["manner"])
        return CategoryColumn(type=values, nulls=body["nulls"], values=body["values"], manner=rare)
    if role == "text":
        return TextColumn(type=values, nulls=body["nulls"], unique=body["unique"], manner=manner(body["manner"]))
    if role == "key":
        return KeyColumn(type=values, start=body["start"])
    if role == "made":
        return MadeColumn(type=values, template=body["template"])
    raise ValueError(f"a column cannot be treated as {role!r}; the model was written by another version")
