"""Conditions of a sample: columns whose values are given, or given in shares, read from JSON.

    {"income": ">50K"}                          every row has this value
    {"income": {"shares": {">50K": 0.5}}}       half of the rows have it, the others any other value
    {"age": {"min": 30, "max": 40}}             as the rules of `models.table.constraints`: min, max, in, not_null

Columns with conditions are drawn first, so that all others follow from them as the model learned it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.table.codec import plain_values
from models.table.constraints import Constraint, check_constraints, columns_of, literals, parse_constraints

_ROOM = 1e-9


@dataclass(frozen=True, slots=True)
class Given:
    """A column with given values in given shares; what the shares leave to 1 goes to all other values."""

    column: str
    values: tuple[Any, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a sample is conditioned on: columns with given values, and rules that hold from the start."""

    given: tuple[Given, ...] = ()
    rules: tuple[Constraint, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that are conditioned, each once."""
        named = [one.column for one in self.given] + [name for rule in self.rules for name in columns_of(rule)]
        return list(dict.fromkeys(named))


def parse_conditions(text: str) -> Conditions:
    """The conditions in a JSON object. Raises ValueError, naming the column and what is wrong."""
    try:
        entries = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"the conditions are no JSON: {error}") from error
    if not isinstance(entries, Mapping):
        raise ValueError('the conditions are no JSON object; write {"COLUMN": VALUE, …}')
    given: list[Given] = []
    rules: list[Constraint] = []
    for column, entry in entries.items():
        try:
            if not isinstance(entry, Mapping):
                given.append(Given(column, (entry,), (1.0,)))
            elif set(entry) == {"shares"}:
                given.append(_shared(column, entry["shares"]))
            else:
                rules += parse_constraints(json.dumps([{"column": column, **entry}]))
        except ValueError as error:
            raise ValueError(f"condition on {column!r}: {error}") from error
    return Conditions(tuple(given), tuple(rules))


def check_conditions(conditions: Conditions, head: pa.Table) -> None:
    """Raise ValueError, naming the column, for conditions that a table with these first rows cannot have."""
    for name in conditions.columns:
        if name not in head.schema.names:
            raise ValueError(f"the conditions name {name!r}, which is no column of the source")
    check_constraints(conditions.rules, head)
    for given in conditions.given:
        literals(given.values, plain_values(head[given.column]).type)


def assign(shares: Sequence[float], first: int, rows: int) -> np.ndarray:
    """Which given value each of the rows `first` … `first + rows` gets; the number of values stands for any other.

    Every value gets its share of any beginning of the table, to within a row.
    """
    chosen = np.full(rows, len(shares))
    free = np.ones(rows, bool)
    place = np.arange(first, first + rows)  # of each row among those that the values before have left
    left = 1.0
    for value, share in enumerate(shares):
        part = min(1.0, share / left) if left > _ROOM else 0.0
        before, after = (np.floor(at * part + 0.5).astype(np.int64) for at in (place, place + 1))
        chosen[free & (after > before)] = value
        free &= after == before
        place = place - before
        left -= share
    return chosen


def _shared(column: str, shares: Any) -> Given:
    """`shares` is an object of shares by value, or a list of pairs where values are no texts."""
    pairs = list(shares.items()) if isinstance(shares, Mapping) else shares
    if not isinstance(pairs, list) or not pairs or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise ValueError('shares are {"VALUE": SHARE, …} or [[VALUE, SHARE], …]')
    values, parts = tuple(value for value, _ in pairs), tuple(part for _, part in pairs)
    if not all(isinstance(part, int | float) and 0 <= part <= 1 for part in parts) or sum(parts) > 1 + _ROOM:
        raise ValueError("each share is from 0 to 1, and together they are no more than 1")
    if len(set(map(repr, values))) < len(values):
        raise ValueError("a value has two shares")
    return Given(column, values, tuple(float(part) for part in parts))
