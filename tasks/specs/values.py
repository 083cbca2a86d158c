"""Cells: from whatever a file holds (Arrow arrays, CSV text, JSON values) to the plain values a job model takes.

None stands for absent: null, NaN, blank text, an empty list or map. A cell that cannot be read raises `CellError`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import orjson

from tasks.specs.columns import Family
from tasks.specs.problems import quote

_WHOLE = re.compile(r"[+-]?\d{1,30}(\.0*)?")
_EXACT = 2**53
_MAX_META = 10_000


class CellError(ValueError):
    """A cell that is not what its column holds: `reason` and `suggestion` for people."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


def cell(value: Any, family: Family) -> Any:
    """Read one cell. Raises `CellError`."""
    if value is None or (isinstance(value, str) and (not value or value.isspace())):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return _READERS[family](value)


def text(value: Any) -> str:
    """A scalar as people write it: 50.0 is `50`, True is `yes`, a date is ISO. Raises `CellError`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CellError(f"is {value}", "write a finite number")
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        day_only = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if day_only else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    raise CellError(f"holds {_what(value)} where text belongs", "write one text")


def _column_text(value: Any) -> str:
    if isinstance(value, bool | dt.date | dt.time):
        raise CellError(f"is {quote(str(value))}, not text", "write text")
    return text(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise CellError(f"is {str(value).lower()}, not a whole number", "write a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != int(value):
            raise CellError(f"is {value}, not a whole number", "write a whole number")
        if isinstance(value, float) and abs(value) > _EXACT:
            raise CellError(
                f"is {value:.0f}, stored as a decimal number that cannot hold so many digits",
                "store the column as 64-bit integers",
            )
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    raise CellError(f"is {quote(value)}, not a whole number", "write digits only, such as 3")


def _number(value: Any) -> float:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = float(value)
    else:
        try:
            number = float(value) if isinstance(value, str) and "_" not in value else math.nan
        except ValueError:
            number = math.nan
    if not math.isfinite(number):
        raise CellError(f"is {quote(value)}, not a number", "write a number such as 0.8")
    return number


def _list(value: Any) -> list[str] | None:
    if isinstance(value, str):
        value = _json(value, list, 'write a JSON list such as ["soft", "warm"]')
    if not isinstance(value, list | tuple):
        raise CellError(f"holds {_what(value)}, not a list", 'write a list, or JSON text such as ["soft", "warm"]')
    return [_member(v, f"entry {i + 1}") for i, v in enumerate(value) if not _blank(v)] or None


def _map(value: Any) -> dict[str, str] | None:
    hint = 'write JSON text such as {"material": "wool", "price": "$50"}'
    if isinstance(value, str):
        value = _json(value, dict, hint)
    if isinstance(value, list):
        pairs = value
        if not all(isinstance(p, tuple) and len(p) == 2 for p in pairs):
            raise CellError("holds a list, not a map", hint)
        value = dict(pairs)
        if len(value) < len(pairs):
            raise CellError("names one key twice", "keep one value for each key")
    if not isinstance(value, dict):
        raise CellError(f"holds {_what(value)}, not a map", hint)
    return {_member(k, "a key"): _member(v, quote(str(k))) for k, v in value.items() if not _blank(v)} or None


def _json_text(value: Any) -> str | None:
    """JSON text as it stands; lists and objects of files that have them become JSON text."""
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        value = dict(value)  # a map of Arrow's
    if isinstance(value, dict | list):
        try:
            return orjson.dumps(_without_blanks(value), default=str).decode() if value else None
        except TypeError as error:
            raise CellError(f"cannot be JSON: {error}", "write JSON text") from error
    return _column_text(value)


def _without_blanks(value: Any) -> Any:
    """Arrow gives every struct all fields that any of them has: those that are null were never written."""
    if isinstance(value, dict):
        return {key: _without_blanks(inner) for key, inner in value.items() if inner is not None}
    return [_without_blanks(inner) for inner in value] if isinstance(value, list | tuple) else value


def _other(value: Any) -> Any:
    return value


def _meta(value: Any) -> str | int | float | bool:
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise CellError(f"is {value}, more than 64 bits hold", "write it as text")
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise CellError(f"is {value}", "write a finite number or leave it empty")
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple | dict | bytes):
        raise CellError(f"holds {_what(value)}; meta columns hold single values", "write it as text")
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    plain = value.isoformat() if isinstance(value, dt.date | dt.time) else text(value)
    if len(plain) > _MAX_META:
        raise CellError(f"is {len(plain):,} characters long; at most {_MAX_META:,}", "shorten it")
    return plain


_READERS = {
    "text": _column_text,
    "integer": _integer,
    "number": _number,
    "list": _list,
    "map": _map,
    "json": _json_text,
    "other": _other,
    "meta": _meta,
}


def _blank(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and (not value or value.isspace()))


def _member(value: Any, where: str) -> str:
    if isinstance(value, list | tuple | dict | bytes):
        raise CellError(f"{where} holds {_what(value)}; every entry is one text", "join it into one text")
    return text(value)


def _json(value: str, wanted: type, hint: str) -> Any:
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, wanted):
        raise CellError(f"is {quote(value)}, which is not a JSON {'list' if wanted is list else 'object'}", hint)
    return parsed


def _what(value: Any) -> str:
    names = {list: "a list", tuple: "a list", dict: "a map", bytes: "binary data", bool: "true or false"}
    return names.get(type(value), quote(value))
