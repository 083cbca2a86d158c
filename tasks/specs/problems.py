"""What can be wrong with a spec: a file that cannot be read, a row that cannot be used, and how both are said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tasks.kinds.columns import printable

SHOWN = 60


class SpecError(Exception):
    """A spec file cannot be used at all. The message names the file, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that is set aside. `row` counts data rows from 1; `column` is empty when the whole row is at fault.

    `file` is the path or URI as it was given. `job_id` and `kind` are safe to print: shortened, without control
    characters. In what `check` yields, row 0 stands for the file itself.
    """

    file: str
    row: int
    job_id: str | None
    kind: str | None
    column: str
    reason: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = [show(self.file, 500)]
        if self.row:
            place.append(f"row {self.row:,}")
        if self.job_id:
            place.append(f"job {self.job_id}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.reason}" + (f". {_sentence(self.suggestion)}" if self.suggestion else "")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a row. `fatal` problems are errors of the file: a value where its kind has no such column."""

    column: str
    reason: str
    suggestion: str = ""
    fatal: bool = False


def show(value: Any, width: int = SHOWN) -> str:
    """A value from outside as safe, short text: control and invisible characters escaped, long ones cut."""
    text = value if isinstance(value, str) else repr(value)
    head = printable(text[:width])
    return head if len(text) <= width else f"{head}… ({len(text):,} characters)"


def quote(value: Any) -> str:
    """`show` between quotation marks when it is text."""
    return f"“{show(value)}”" if isinstance(value, str) else show(value)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, or None when none is near. Case, blanks and hyphens do not count."""
    plain = {n.lower(): n for n in names}
    found = get_close_matches(name[:200].strip().lower().replace(" ", "_").replace("-", "_"), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def listed(names: Iterable[str]) -> str:
    """`a, b or c`."""
    names = list(names)
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def duplicate(file: str, row: int, job_id: str, kind: str | None, others: int = 1) -> Quarantined:
    """The row of a `job_id` that `others` more rows of the same run bear too.

    All rows that share an id are set aside, not all but the first: which one is first depends on the order of files
    and rows, and outputs must not.
    """
    reason = f"{show(job_id)} is the job_id of {others + 1:,} rows; it must be unique over all files"
    return Quarantined(file, row, show(job_id), kind, "job_id", reason, "rename or remove all rows but one")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
