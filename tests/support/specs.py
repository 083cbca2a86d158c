"""Spec files of a few rows, and what reading them gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.kinds.copy.job import CopyJob
from tasks.specs import Quarantined, read

ROW = {"job_id": "a", "kind": "copy", "channel": "sms", "product_name": "Mug"}


def parquet(path: Path, columns: dict[str, Any], schema: pa.Schema | None = None) -> str:
    pq.write_table(pa.table(columns, schema=schema), path)
    return str(path)


def rows_parquet(path: Path, *rows: dict[str, Any]) -> str:
    names = dict.fromkeys(name for row in (ROW, *rows) for name in row)
    pq.write_table(pa.table({n: [{**ROW, **row}.get(n) for row in rows] for n in names}), path)
    return str(path)


def lines(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps({**ROW, **row}) + "\n" for row in rows), "utf-8")
    return str(path)


def one(name: str, scratch: Path) -> Any:
    (outcome,) = read([name], scratch=scratch)
    return outcome


def job(name: str, scratch: Path) -> CopyJob:
    outcome = one(name, scratch)
    assert isinstance(outcome, CopyJob), outcome
    return outcome


def aside(name: str, scratch: Path) -> Quarantined:
    outcome = one(name, scratch)
    assert isinstance(outcome, Quarantined), outcome
    return outcome
