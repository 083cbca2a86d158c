"""What pydantic finds wrong in a row, in plain words with a suggestion."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from tasks.kinds.base import JOB_ID
from tasks.specs.problems import Problem, listed, nearest, quote

_ID_HINT = "use 1 to 128 letters, digits, dots, hyphens and underscores, and no dot at the start"
_LOCALE_HINT = "write a language tag such as en-US or de"


def problems(error: ValidationError, schema: dict[str, dict[str, Any]]) -> list[Problem]:
    """One `Problem` for each error; `schema` is the JSON schema of the kind's columns."""
    found = []
    for detail in error.errors(include_url=False):
        column = str(detail["loc"][0]) if detail["loc"] else ""
        found.append(_problem(detail, column, schema.get(column, {})))
    return found


def _problem(detail: Any, column: str, schema: dict[str, Any]) -> Problem:
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    entry = len(detail["loc"]) > 1
    place = "an entry " if entry else ""
    if kind == "wrong":
        return Problem(limits["column"], limits["reason"], limits["suggestion"])
    if kind == "missing":
        return Problem(column, "is empty", f"fill in {column}")
    if kind in ("one_of", "literal_error"):
        return _choice(column, value, schema)
    if kind == "string_pattern_mismatch":
        return _pattern(column, value, limits["pattern"])
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        return _range(column, value, kind, limits, schema)
    if kind in ("int_parsing_size", "int_from_float"):
        return Problem(column, f"is {quote(value)}, out of any range", f"write {_allowed(schema)}")
    if kind == "multiple_of":
        step = limits["multiple_of"]
        return Problem(column, f"is {value}, not a multiple of {step}", f"{value // step * step or step} would do")
    if kind == "string_too_long":
        reason = f"{place}is {len(value):,} characters long; at most {limits['max_length']:,}"
        return Problem(column, reason, "shorten it")
    if kind == "string_too_short":
        return Problem(column, f"{place}is empty", "fill it in or leave the whole cell empty")
    if kind == "too_long":
        return Problem(column, f"has {limits['actual_length']:,} entries; at most {limits['max_length']}", "shorten it")
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(column, f"{place}is {quote(value)}: {message[:1].lower()}{message[1:]}")


def _choice(column: str, value: Any, schema: dict[str, Any]) -> Problem:
    names = schema.get("enum") or [schema.get("const", "")]
    near = nearest(value, names) if isinstance(value, str) else None
    reason = f"is {quote(value)}, not one of {', '.join(names)}"
    return Problem(column, reason, f"did you mean {near}?" if near else f"write {listed(names)}")


def _pattern(column: str, value: str, pattern: str) -> Problem:
    if pattern == JOB_ID:
        if not value:
            return Problem(column, "is empty", _ID_HINT)
        if len(value) > 128:
            return Problem(column, f"is {len(value):,} characters long", _ID_HINT)
        return Problem(column, f"is {quote(value)}, which cannot name outputs", _ID_HINT)
    if column == "locale":
        fixed = value.replace("_", "-")
        return Problem(
            column, f"is {quote(value)}, not a language tag", f"write {fixed}" if fixed != value else _LOCALE_HINT
        )
    return Problem(column, f"is {quote(value)}, which does not fit {pattern}")


def _range(column: str, value: Any, kind: str, limits: dict[str, Any], schema: dict[str, Any]) -> Problem:
    names = {"greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "more than")}
    names |= {"less_than_equal": ("le", "at most"), "less_than": ("lt", "less than")}
    key, words = names[kind]
    return Problem(column, f"is {value:,}; {words} {limits[key]:,}", f"write {_allowed(schema)}")


def _allowed(schema: dict[str, Any]) -> str:
    bounds = next((s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"), schema)
    noun = "a whole number" if bounds.get("type") == "integer" else "a number"
    low, over, high = bounds.get("minimum"), bounds.get("exclusiveMinimum"), bounds.get("maximum")
    if high is None or (low is None and over is None):
        return noun
    return f"{noun} from {low:,} to {high:,}" if low is not None else f"{noun} above {over} and up to {high:,}"
