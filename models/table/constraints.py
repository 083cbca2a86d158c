"""Business rules of a table: what may be said of its rows, how it is read from JSON, and which rows break it.

A rule is an object with one of these forms:

    {"column": C, "min": A, "max": B}        the values of C lie within; either bound may be missing
    {"column": C, "in": [A, B, …]}           the values of C are among these
    {"column": C, "regex": P}                the texts of C match P as a whole
    {"column": C, "not_null": true}          C is never null
    {"less": [A, B], "or_equal": true}       A < B in every row, or A ≤ B
    {"sum": [A, B, …], "equals": C}          the columns add up to C
    {"together": [A, B, …]}                  the columns stand together only as they do in the source
    {"unique": [A, B, …]}                    no two rows agree in all of these

Dates and times are written as ISO 8601 texts. A null breaks `not_null` alone, as in SQL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.table.codec import plain_values
from models.table.physical import is_string
from models.table.scale import places


@dataclass(frozen=True, slots=True)
class Within:
    """The values of a column lie between `least` and `most`, both included, where they are set."""

    column: str
    least: Any = None
    most: Any = None


@dataclass(frozen=True, slots=True)
class Among:
    """The values of a column are among `values`."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The texts of a column match the pattern as a whole."""

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Present:
    """A column is never null."""

    column: str


@dataclass(frozen=True, slots=True)
class Less:
    """`low` < `high` in every row, or ≤ with `or_equal`."""

    low: str
    high: str
    or_equal: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """The columns `terms` add up to `total`, which is computed from them."""

    terms: tuple[str, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Together:
    """The columns stand together only as they do in the source."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows agree in all of the columns."""

    columns: tuple[str, ...]


Constraint = Within | Among | Matches | Present | Less | Sum | Together | Unique


def parse_constraints(text: str) -> list[Constraint]:
    """The rules in a JSON list. Raises ValueError, naming the rule by its number and what is wrong with it."""
    try:
        entries = json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        raise ValueError(f"the constraints are no JSON: {error}") from error
    if not isinstance(entries, list):
        raise ValueError("the constraints are no JSON list; write [{…}, {…}]")
    found: list[Constraint] = []
    for number, entry in enumerate(entries, start=1):
        try:
            found += _parsed(entry)
        except ValueError as error:
            raise ValueError(f"constraint {number}: {error}") from error
    return found


def columns_of(constraint: Constraint) -> tuple[str, ...]:
    """The columns that a rule speaks of."""
    if isinstance(constraint, Less):
        return constraint.low, constraint.high
    if isinstance(constraint, Sum):
        return (*constraint.terms, constraint.total)
    return constraint.columns if isinstance(constraint, Together | Unique) else (constraint.column,)


def check_constraints(constraints: Sequence[Constraint], head: pa.Table) -> None:
    """Raise ValueError, naming the column, for rules that a table with these first rows cannot have."""
    for constraint in constraints:
        for name in columns_of(constraint):
            if name not in head.schema.names:
                raise ValueError(f"the constraints name {name!r}, which is no column of the source")
        columns = {name: plain_values(head[name]) for name in columns_of(constraint)}
        if isinstance(constraint, Matches) and not is_string(columns[constraint.column].type):
            raise ValueError(f"a regex goes with text, and {constraint.column!r} is {columns[constraint.column].type}")
        if isinstance(constraint, Among):
            literals(constraint.values, columns[constraint.column].type)
        if isinstance(constraint, Within | Less | Sum):
            for name, column in columns.items():
                places(column, name)
        if isinstance(constraint, Within):
            for bound in (constraint.least, constraint.most):
                if bound is not None:
                    place_of(bound, columns[constraint.column], constraint.column)
        if isinstance(constraint, Less) and len({_measure(column.type) for column in columns.values()}) > 1:
            raise ValueError(
                f"{constraint.low!r} and {constraint.high!r} cannot be compared: one is a time, one is not"
            )
        if isinstance(constraint, Sum):
            for name, column in columns.items():
                if pa.types.is_temporal(column.type) or is_string(column.type):
                    raise ValueError(f"only numbers add up, and {name!r} is {column.type}")


def _measure(kind: pa.DataType) -> str:
    """What a column counts: numbers, moments, or spans and times of day."""
    if is_string(kind) or pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "moment"
    return str(kind.id) if pa.types.is_temporal(kind) else "number"


def describe(constraint: Constraint) -> str:
    """The rule in words, without a value of any table."""
    if isinstance(constraint, Within):
        low = "" if constraint.least is None else f"{constraint.least} ≤ "
        high = "" if constraint.most is None else f" ≤ {constraint.most}"
        return f"{low}{constraint.column}{high}"
    if isinstance(constraint, Less):
        return f"{constraint.low} {'≤' if constraint.or_equal else '<'} {constraint.high}"
    if isinstance(constraint, Sum):
        return f"{' + '.join(constraint.terms)} = {constraint.total}"
    words: dict[type, Callable[[Any], str]] = {
        Among: lambda c: f"{c.column} among {len(c.values)} values",
        Matches: lambda c: f"{c.column} matches {c.pattern}",
        Present: lambda c: f"{c.column} is never null",
        Together: lambda c: f"{', '.join(c.columns)} as in the source",
        Unique: lambda c: f"{', '.join(c.columns)} unique",
    }
    return words[type(constraint)](constraint)


def violations(constraint: Constraint, table: pa.Table, source: pa.Table | None = None) -> np.ndarray:
    """Which rows of `table` break the rule, as booleans; `Together` asks the source."""
    columns = {name: plain_values(table[name]) for name in columns_of(constraint)}
    if isinstance(constraint, Present):
        return ~np.asarray(columns[constraint.column].is_valid())
    if isinstance(constraint, Within):
        return _beyond(constraint, columns[constraint.column])
    if isinstance(constraint, Among):
        return _strange(columns[constraint.column], literals(constraint.values, columns[constraint.column].type))
    if isinstance(constraint, Matches):
        return _unmatched(columns[constraint.column], re.compile(constraint.pattern))
    if isinstance(constraint, Less):
        (low, low_valid), (high, high_valid) = (places(columns[n], n) for n in (constraint.low, constraint.high))
        wrong = low > high if constraint.or_equal else low >= high
        return wrong & low_valid & high_valid
    if isinstance(constraint, Sum):
        found, valid = _added(constraint, columns)
        total, total_valid = places(columns[constraint.total], constraint.total)
        return (np.abs(total - found) > _slack(constraint, columns)) & valid & total_valid
    if any(pa.types.is_null(column.type) for column in columns.values()):
        return np.zeros(table.num_rows, bool)
    if isinstance(constraint, Unique):
        return ~_first_of_each(columns)
    if source is None:
        raise ValueError("whether columns stand together as in the source can only be told with the source")
    return _strangers(columns, {name: plain_values(source[name]).cast(columns[name].type) for name in columns})


def literals(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values from JSON as an Arrow array of a column's type: ISO 8601 for dates and times, seconds for durations.

    Instants without a zone are UTC. Raises ValueError.
    """
    try:
        if pa.types.is_decimal(kind):
            return pa.array([None if v is None else str(v) for v in values], pa.string()).cast(kind)
        if pa.types.is_temporal(kind):
            return pa.array([None if v is None else _moment(v, kind) for v in values], kind)
        return pa.array(list(values), kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{list(values)[:3]} cannot be values of a column of type {kind}: {error}") from error


def _moment(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_duration(kind):
        return timedelta(seconds=float(value))
    if pa.types.is_time(kind):
        return time.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    if pa.types.is_date(kind):
        return moment.date()
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC) if kind.tz else moment
    return moment if kind.tz else moment.astimezone(UTC).replace(tzinfo=None)


def place_of(value: Any, like: pa.Array, name: str) -> float | int:
    """Where a JSON value stands on the number line of a column whose values are `like`. Raises ValueError."""
    kind = like.type
    if not is_string(kind) and not pa.types.is_temporal(kind):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f"{value!r} is no number to compare {name!r} with")
        return value
    numbers, valid = places(literals([value], kind), name)
    if not valid[0]:
        raise ValueError(f"{value!r} cannot be compared with {name!r}")
    return numbers[0].item()


def _parsed(entry: Any) -> list[Constraint]:
    if not isinstance(entry, Mapping):
        raise ValueError('a rule is an object, such as {"column": "age", "min": 18}')
    keys = set(entry)
    if "column" in keys:
        return _of_a_column(entry, keys - {"column"})
    if "less" in keys and keys <= {"less", "or_equal"}:
        low, high = _names(entry["less"], "less", exactly=2)
        return [Less(low, high, bool(entry.get("or_equal", False)))]
    if keys == {"sum", "equals"}:
        terms, total = _names(entry["sum"], "sum"), _name(entry["equals"])
        if total in terms:
            raise ValueError(f"{total!r} is a term of its own sum")
        return [Sum(terms, total)]
    if keys == {"together"}:
        return [Together(_names(entry["together"], "together"))]
    if keys == {"unique"}:
        return [Unique(_names(entry["unique"], "unique", least=1))]
    raise ValueError(f"there is no rule with {', '.join(sorted(keys)) or 'nothing in it'}")


def _of_a_column(entry: Mapping[str, Any], keys: set[str]) -> list[Constraint]:
    column = _name(entry["column"])
    if not keys or not keys <= {"min", "max", "in", "regex", "not_null"}:
        raise ValueError(
            f"a rule of a column has min, max, in, regex or not_null, not {', '.join(sorted(keys)) or '∅'}"
        )
    found: list[Constraint] = []
    if keys & {"min", "max"}:
        bounds = [entry[key] for key in ("min", "max") if key in entry]
        if any(bound is None or bound != bound for bound in bounds):
            raise ValueError("a bound is null or no number; leave it out where there is none")
        found.append(Within(column, entry.get("min"), entry.get("max")))
    if "in" in keys:
        if not isinstance(entry["in"], list) or not entry["in"]:
            raise ValueError("in is no list of values")
        found.append(Among(column, tuple(entry["in"])))
    if "regex" in keys:
        try:
            re.compile(entry["regex"])
        except (re.error, TypeError) as error:
            raise ValueError(f"{entry['regex']!r} is no regular expression: {error}") from error
        found.append(Matches(column, entry["regex"]))
    if "not_null" in keys:
        if entry["not_null"] is not True:
            raise ValueError("not_null can only be true; leave it out where nulls may stand")
        found.append(Present(column))
    return found


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no column name")
    return value


def _names(value: Any, key: str, least: int = 2, exactly: int | None = None) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) < least or (exactly is not None and len(value) != exactly):
        raise ValueError(f"{key} is a list of {exactly or f'at least {least}'} column names")
    if len(set(map(str, value))) < len(value):
        raise ValueError(f"{key} names a column twice")
    return tuple(_name(name) for name in value)


def _beyond(rule: Within, column: pa.Array) -> np.ndarray:
    numbers, valid = places(column, rule.column)
    wrong = np.zeros(len(numbers), bool)
    if rule.least is not None:
        wrong |= numbers < place_of(rule.least, column, rule.column)
    if rule.most is not None:
        wrong |= numbers > place_of(rule.most, column, rule.column)
    return wrong & valid


def _strange(column: pa.Array, allowed: pa.Array) -> np.ndarray:
    known = np.asarray(pc.is_in(column, value_set=allowed).fill_null(False))
    return ~known & np.asarray(column.is_valid())


def _unmatched(column: pa.Array, pattern: re.Pattern[str]) -> np.ndarray:
    coded = column.dictionary_encode()
    fits = np.array([pattern.fullmatch(text) is not None for text in coded.dictionary.to_pylist()] or [True])
    return ~fits[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)] & np.asarray(column.is_valid())


def _added(rule: Sum, columns: Mapping[str, pa.Array]) -> tuple[np.ndarray, np.ndarray]:
    terms = [places(columns[name], name) for name in rule.terms]
    return np.sum([numbers for numbers, _ in terms], axis=0), np.all([valid for _, valid in terms], axis=0)


def _slack(rule: Sum, columns: Mapping[str, pa.Array]) -> np.ndarray:
    """Room for what adding and storing floats loses, by the narrowest type that takes part."""
    narrow = any(pa.types.is_float32(column.type) or pa.types.is_float16(column.type) for column in columns.values())
    size = np.sum([np.abs(places(columns[name], name)[0]) for name in rule.terms], axis=0)
    return (1e-6 if narrow else 1e-9) * np.maximum(size, 1)


def _all_valid(columns: Mapping[str, pa.Array]) -> np.ndarray:
    return np.all([np.asarray(column.is_valid()) for column in columns.values()], axis=0)


def _numbered(columns: Mapping[str, pa.Array]) -> pa.Table:
    """The columns under plain names, and the rows' numbers."""
    table = pa.table({f"c{number}": column for number, column in enumerate(columns.values())})
    return table.append_column("row", pa.array(np.arange(table.num_rows)))


def _strangers(columns: Mapping[str, pa.Array], source: Mapping[str, pa.Array]) -> np.ndarray:
    """Which rows hold a combination that the source lacks; those with a null never do."""
    table = _numbered(columns)
    keys = table.schema.names[:-1]
    seen = _numbered(source).group_by(keys).aggregate([])
    lone = table.join(seen, keys=keys, join_type="left anti")
    wrong = np.zeros(table.num_rows, bool)
    wrong[lone["row"].to_numpy()] = True
    return wrong & _all_valid(columns)


def _first_of_each(columns: Mapping[str, pa.Array]) -> np.ndarray:
    """Which rows are the first with their values; rows with a null count as unlike any other, as in SQL."""
    table = _numbered(columns)
    first = table.group_by(table.schema.names[:-1]).aggregate([("row", "min")])["row_min"].to_numpy()
    found = np.zeros(table.num_rows, bool)
    found[first] = True
    return found | ~_all_valid(columns)
