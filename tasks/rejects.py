"""The `rejected/` table: everything that was refused, with the rule and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import regex

from tasks.specs import Quarantined

REJECTED = pa.schema(
    [
        pa.field("job_id", pa.string()),
        pa.field("variant", pa.int32()),
        pa.field("kind", pa.string()),
        pa.field("stage", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("attempt", pa.int32()),
        pa.field("output", pa.string()),
    ]
)

# Each starts only where a word starts, or long runs of letters or digits would be gone through again and again.
_EMAIL = regex.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")
_PHONE = regex.compile(r"(?<![\w.+]|\d[ ().-])(?!\d{4}-\d\d-\d\d\b)\+?\(?\d[\d ().-]{7,}\d(?!\w)")


def redact(text: str | None) -> str | None:
    """`text` without e-mail addresses and phone numbers, which may be somebody's."""
    return text and _PHONE.sub("[phone]", _EMAIL.sub("[e-mail]", text))


def table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of the `rejected/` schema; absent columns are null."""
    return pa.Table.from_pylist(list(rows), schema=REJECTED)


def of_specs(rows: Sequence[Quarantined]) -> pa.Table:
    """Quarantined spec rows as rejected rows: the rule is the column at fault."""
    return table(
        {
            "job_id": row.job_id,
            "kind": row.kind,
            "stage": "spec",
            "rule": row.column,
            "reason": f"{row.file}, row {row.row}: {redact(row.reason)}"
            + (f" ({row.suggestion})" if row.suggestion else ""),
        }
        for row in rows
    )
