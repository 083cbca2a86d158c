"""The privacy settings of a fit, read from JSON.

    {"epsilon": 3, "public": "source"}
    {"epsilon": 3, "delta": 1e-6, "target": "income", "public": {
        "age": {"min": 17, "max": 90}, "sex": {"values": ["f", "m"]}, "name": {"template": "{first_name} {last_name}"},
        "*": "source"}}

`public` says what is known of every column without looking at its rows: the range of numbers and dates, the values of
a category, how texts are made up. `"source"` takes that from the source and gives it away; `*` stands for all columns
that are not named. `target` is the column that others should tell of best. `compare` lets figures be made that compare
with the source's rows, which no budget pays for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.table.declared.near import advice

MOST_EPSILON = 100.0
MOST_DELTA = 1e-3
HUGE = 1e300
USUAL_DELTA = 1e-6  # not by the number of rows, which is private too
SOURCE = "source"
REST = "*"
KEYS = ("epsilon", "delta", "target", "public", "compare")
ENTRIES = ("min", "max", "decimals", "values", "template", "key", "nulls")


@dataclass(frozen=True, slots=True)
class Privacy:
    """`public` holds, by column, an object or `"source"`."""

    epsilon: float
    delta: float = USUAL_DELTA
    target: str | None = None
    public: Mapping[str, Mapping[str, Any] | str] = field(default_factory=dict)
    compare: bool = False

    def of(self, column: str) -> Mapping[str, Any] | str | None:
        """What is said of a column; None where nothing is."""
        return self.public.get(column, self.public.get(REST))

    def to_json(self) -> str:
        """The settings as `parse_privacy` reads them, always written alike."""
        told = {name: getattr(self, name) for name in KEYS}
        kept = {name: value for name, value in told.items() if value not in (None, False)}
        return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def parse_privacy(text: str) -> Privacy | None:
    """The settings in a JSON object; None for an empty text. Raises ValueError with what is wrong."""
    if not text.strip():
        return None
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the privacy settings are no JSON: {error}") from error
    if not isinstance(told, Mapping):
        raise ValueError('the privacy settings are no JSON object; write {"epsilon": 3, "public": {…}}')
    for name in told:
        if name not in KEYS:
            raise ValueError(f"there is no privacy setting {name!r}; {advice(name, KEYS)}")
    epsilon = _number("epsilon", told.get("epsilon"), MOST_EPSILON)
    delta = USUAL_DELTA if told.get("delta") is None else _number("delta", told["delta"], MOST_DELTA)
    target, compare = told.get("target"), told.get("compare", False)
    if target is not None and not isinstance(target, str):
        raise ValueError(f"target is {target!r}, not the name of a column")
    if not isinstance(compare, bool):
        raise ValueError(f"compare is {compare!r}, neither true nor false")
    return Privacy(epsilon, delta, target, _public(told), compare)


def _public(told: Mapping[str, Any]) -> dict[str, Mapping[str, Any] | str]:
    public = told.get("public", {})
    if public == SOURCE:
        return {REST: SOURCE}
    if not isinstance(public, Mapping):
        raise ValueError('public is an object of columns, or "source" to take all from the source and give it away')
    for column, entry in public.items():
        if entry == SOURCE:
            continue
        if column == REST or not isinstance(entry, Mapping):
            raise ValueError(f'public of {column!r} is {entry!r}; write "source"' + _or_object(column))
        for name in entry:
            if name not in ENTRIES:
                raise ValueError(f"public of {column!r} has no {name!r}; {advice(name, ENTRIES)}")
        ways = [name for name in ("values", "template", "key") if name in entry]
        if "min" in entry or "max" in entry:
            ways.append("min and max")
            if "min" not in entry or "max" not in entry:
                raise ValueError(f"public of {column!r} has one of min and max; a range needs both")
        if len(ways) != 1:
            what = " and ".join(ways) or "nothing of what is needed"
            raise ValueError(f"public of {column!r} has {what}; it has min and max, or values, or template, or key")
        _check(column, entry)
    return dict(public)


def _or_object(column: str) -> str:
    return "" if column == REST else ' or an object such as {"min": 0, "max": 100}'


def _check(column: str, entry: Mapping[str, Any]) -> None:
    values = entry.get("values", ["a"])
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"values of {column!r} are no list of texts")
    if len(set(values)) < len(values):
        raise ValueError(f"values of {column!r} name one of them twice")
    if not isinstance(entry.get("template", ""), str):
        raise ValueError(f"the template of {column!r} is no text")
    if entry.get("key", True) is not True or not isinstance(entry.get("nulls", True), bool):
        raise ValueError(f"key of {column!r} is true, its nulls true or false")
    for bound in ("min", "max"):
        value = entry.get(bound, 0)
        if isinstance(value, bool) or not (
            isinstance(value, str) or (isinstance(value, int | float) and abs(value) < HUGE)
        ):
            raise ValueError(f"{bound} of {column!r} is {value!r}, neither a finite number nor a date")
    decimals = entry.get("decimals", 0)
    if not isinstance(decimals, int) or isinstance(decimals, bool) or not 0 <= decimals <= 9:
        raise ValueError(f"decimals of {column!r} are a whole number from 0 to 9")


def _number(name: str, value: Any, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= most:
        raise ValueError(f"{name} is {value!r}, not a number above 0 and up to {most:g}")
    return float(value)
