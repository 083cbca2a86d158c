"""What job models share when they speak of their columns: refusals in plain words, and columns that come later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import Field
from pydantic_core import PydanticCustomError

# Columns of every kind that the contract names and this version cannot honour yet, each with the reason.
LATER = {"brand": "brand bundles are not supported yet"}

# One entry of a list or a map: long enough for a sentence, too short for a page.
Entry = Annotated[str, Field(max_length=1_000)]
Term = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


def wrong(column: str, reason: str, suggestion: str = "") -> PydanticCustomError:
    """The error a job model raises for a row: which column, what is wrong, what to do.

    What a reason quotes of the row may hold anything; characters that do not print come out as escapes.
    """
    said = {"column": column, "reason": printable(reason).replace("{", "("), "suggestion": printable(suggestion)}
    return PydanticCustomError("wrong", "{reason}", said)


def printable(text: str) -> str:
    """The text with escapes for what does not print."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_of(names: Iterable[str]) -> Callable[[str | None], str | None]:
    """A validator for a column that holds one of `names`; the field's JSON schema should list them as `enum`."""
    allowed = frozenset(names)

    def check(value: str | None) -> str | None:
        if value is not None and value not in allowed:
            raise PydanticCustomError("one_of", "not one of the names", {})
        return value

    return check
