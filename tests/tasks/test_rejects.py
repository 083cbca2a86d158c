"""The rejected table, and what is taken out of it."""

from __future__ import annotations

import time

import pytest

from tasks.rejects import REJECTED, of_specs, redact, table
from tasks.specs import Quarantined


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("write to jo.smith+shop@mail.example.co.uk now", "write to [e-mail] now"),
        ("ping müller@exämple.de", "ping [e-mail]"),
        ("call +49 170 1234567.", "call [phone]."),
        ("call (555) 123-4567 or 1-800-555-0199", "call [phone] or [phone]"),
        ("tel:0301234567", "tel:[phone]"),
        ("from 2026-11-21 to 2026-12-24", "from 2026-11-21 to 2026-12-24"),
        ("350 ml, 24 x 36 cm, $1,299.00 instead of $1,499.00", "350 ml, 24 x 36 cm, $1,299.00 instead of $1,499.00"),
        ("a @ b, @handle, 3.50", "a @ b, @handle, 3.50"),
        ("", ""),
        (None, None),
    ],
)
def test_redact(text: str | None, redacted: str | None) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize("text", ["a" * 50_000, "0" * 50_000, "1 " * 25_000 + "x", "a." * 25_000, "(" * 50_000])
def test_degenerate_text_is_redacted_in_no_time(text: str) -> None:
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 1.0


def test_absent_columns_are_null() -> None:
    rows = table([{"job_id": "a", "stage": "judge"}])
    assert rows.schema == REJECTED
    assert rows.to_pylist()[0]["output"] is None


def test_spec_rows_name_file_row_column_and_reason_without_personal_data() -> None:
    row = Quarantined("specs.csv", 7, "a", "copy", "max_chars", "is “jo@example.org”, not a number", "write digits")
    (told,) = of_specs([row]).to_pylist()
    assert told == {
        "job_id": "a", "variant": None, "kind": "copy", "stage": "spec", "rule": "max_chars", "attempt": None,
        "output": None, "reason": "specs.csv, row 7: is “[e-mail]”, not a number (write digits)",
    }  # fmt: skip
