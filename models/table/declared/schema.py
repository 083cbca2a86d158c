"""A schema as people write it in JSON: columns with types, and how each comes about.

    {"columns": [{"name": "age", "type": "integer", "distribution": {"kind": "normal", "mean": 44, "sd": 16, "min": 0}},
                 {"name": "sex", "type": "category", "values": {"f": 0.51, "m": 0.49}},
                 {"name": "ward", "type": "category", "given": {"column": "sex", "values": {"f": {…}, "m": {…}}}},
                 {"name": "total", "type": "decimal", "formula": "price * quantity"},
                 {"name": "email", "type": "text", "template": "{first_name|lower}@{pick:example.com,example.org}"}],
     "correlations": [{"columns": ["age", "stay_days"], "value": 0.4}]}

Here is its shape alone; whether the pieces fit together is seen by `models.table.declared.columns`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator

from models.table.declared.distributions import Distribution, Strict, Value
from models.table.declared.near import nearest
from models.table.declared.values import TypeName

MOST_COLUMNS = 500
_SAID = 5  # errors that one message names
_OTHER_NAMES = {
    "int": "integer", "int64": "integer", "bigint": "integer", "float": "number", "double": "number", "real": "number",
    "str": "text", "string": "text", "varchar": "text", "bool": "boolean", "timestamp": "datetime", "enum": "category",
    "money": "decimal", "numeric": "decimal",
}  # fmt: skip

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class Band(Strict):
    """Rows whose other column lies below a bound, and not in an earlier band; the last may have no bound."""

    below: Value | None = None
    then: Any


class Given(Strict):
    """What a column is, by the value of another: for each of its `values`, or for `bands` of its number line."""

    column: Name
    values: Annotated[dict[str, Any] | None, Field(min_length=1, max_length=10_000)] = None
    bands: Annotated[list[Band] | None, Field(min_length=1, max_length=1_000)] = None


class Column(Strict):
    """One column: its name and type, and one of the ways in which its values come about."""

    name: Name
    type: TypeName
    scale: Annotated[int | None, Field(ge=0, le=9)] = None
    nulls: Annotated[float, Field(ge=0, le=1)] = 0.0
    distribution: Distribution | None = None
    values: Annotated[dict[str, float] | list[Value] | None, Field(min_length=1, max_length=10_000)] = None
    ordered: bool = False
    given: Given | None = None
    formula: Annotated[str | None, Field(min_length=1)] = None
    template: Annotated[str | None, Field(min_length=1)] = None


class Correlation(Strict):
    """Pearson's correlation that two columns have, over rows where neither is null."""

    columns: Annotated[list[Name], Field(min_length=2, max_length=2)]
    value: Annotated[float, Field(ge=-1, le=1)]


class Schema(Strict):
    """A table to be made from nothing but what it declares."""

    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    correlations: Annotated[list[Correlation], Field(max_length=5_000)] = []

    @field_validator("columns")
    @classmethod
    def _differ(cls, columns: list[Column]) -> list[Column]:
        names = [column.name for column in columns]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"column {name!r} stands more than once; rename one")
        return columns


def read_schema(text: str) -> Schema:
    """The schema in a JSON object. Raises ValueError: where something is wrong, what it is and what to write."""
    try:
        told = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the schema is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise ValueError('the schema is no JSON object; write {"columns": [{"name": "age", "type": "integer", …}, …]}')
    try:
        return Schema.model_validate(told)
    except ValidationError as error:
        said = list(dict.fromkeys(_said(detail, told) for detail in error.errors(include_url=False)))
        more = f"; and {len(said) - _SAID} more" if len(said) > _SAID else ""
        raise ValueError("; ".join(said[:_SAID]) + more) from None


def _said(detail: Any, told: Any) -> str:
    kind, limits, value = detail["type"], detail.get("ctx", {}), detail["input"]
    where = _place(detail["loc"], told, missing=kind == "missing")
    if kind == "missing":
        return f"{where} is missing"
    if kind == "unknown":
        return f"{where or 'the schema'} {detail['msg']}"
    if kind in ("literal_error", "union_tag_invalid"):
        names = [
            name.strip(" '")
            for name in limits.get("expected_tags", limits.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        given = limits.get("tag", value)
        near = _OTHER_NAMES.get(str(given).lower()) or nearest(str(given), names)
        advice = f"; did you mean {near!r}?" if near else ""
        return f"{where}{', kind' if 'tag' in limits else ''} is {_short(given)}, not one of {', '.join(names)}{advice}"
    if kind == "union_tag_not_found":
        return f'{where} has no kind; write {{"kind": "normal", …}} or another kind of distribution'
    if kind == "value_error":
        return str(limits["error"])
    if kind in ("too_short", "too_long"):
        bound = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']:,}"
        return f"{where} has {limits['actual_length']:,} entries, and {bound} are due"
    message = detail["msg"].removeprefix("Input ")
    return f"{where} is {_short(value)}; it {message[:1].lower()}{message[1:]}"


def _place(loc: tuple[Any, ...], told: Any, *, missing: bool) -> str:
    """Where in the schema an error is, in words; what pydantic adds to tell members of a union apart is left out."""
    words: list[str] = []
    at = told
    for part in loc:
        if isinstance(part, int) and isinstance(at, list) and part < len(at):
            at = at[part]
            named = at.get("name") if isinstance(at, dict) and words == ["columns"] else None
            before = words.pop() if words else "entry"
            singular = {"columns": "column", "correlations": "correlation", "bands": "band"}.get(before, before)
            words.append(f"column {named!r}" if isinstance(named, str) and named else f"{singular} {part + 1}")
        elif isinstance(at, dict) and part in at:
            at = at[part]
            words.append(str(part))
        elif missing and part == loc[-1]:
            words.append(str(part))
    return ", ".join(words)


def _short(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
