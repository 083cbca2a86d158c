"""Records jobs without a source: from the schema in a job to a judged table. No model is fitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.engine import SampleRequest, TableResult
from models.table.constraints import Unique, describe, parse_constraints, violations
from models.table.declared.columns import Declared, parse_schema
from models.table.declared.distributions import Sequence as Counted
from models.table.declared.drawing import check_drawable
from models.table.reading import read_table
from tasks import identity
from tasks.kinds.base import Attempt, Check, Desk, Prepared, Refused, settle
from tasks.kinds.records.declared import quality, rules
from tasks.kinds.records.gates import parse_gates
from tasks.kinds.records.job import RecordsJob, is_inline

DRAW_VERSION = 1  # raise it when the same schema and seed would give other rows
SMALL = 200_000  # rows of a table that is made in seconds
LONGEST = 2_000_000  # bytes of a schema in a file


def schema_text(job: RecordsJob, desk: Desk) -> str:
    """The schema of a job as JSON: its own text, or that of the file it names. Raises `Refused`."""
    if is_inline(job.declared):
        return job.declared
    path = desk.source("schema", job.declared)
    if path.stat().st_size > LONGEST:
        raise Refused("schema", f"{job.declared} is longer than {LONGEST:,} bytes")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused("schema", f"{job.declared} is no UTF-8 text: {error}") from error


def prepare(job: RecordsJob, desk: Desk) -> Prepared:
    """What planning must know of a job. Raises `Refused` for a schema, or constraints, that cannot be."""
    text = schema_text(job, desk)
    try:
        declared = parse_schema(text)
    except ValueError as error:
        raise Refused("schema", str(error)) from error
    _check_key(job, declared)
    _check_gates(job, declared)
    try:
        check_drawable(declared, [*parse_constraints(job.constraints), *_of_key(job, declared)])
    except ValueError as error:
        formula = not job.constraints and job.primary_key is None
        raise Refused("schema" if formula else "constraints", str(error)) from error
    inputs = {
        "seeds": [desk.settings.seed, job.seed],
        "rows": job.rows,
        "schema": json.loads(text),
        "constraints": job.constraints,
        "gates": job.gates,
        "primary_key": job.primary_key or "",
        "version": DRAW_VERSION,
        "model": desk.model_digest("records", "table"),
        "rules": rules.rules_digest(),
    }
    sources = {} if is_inline(job.declared) else {job.declared: desk.source_digest("schema", job.declared)}
    # small tables share a shard; a large one is a shard's work on its own
    assert job.rows is not None
    group = ("table", "schema" if job.rows <= SMALL else identity.digest(inputs)[:12])
    return Prepared(inputs=inputs, group=group, sources=sources)


def request(job: RecordsJob, attempt: Attempt, desk: Desk) -> SampleRequest:
    """One table."""
    text = schema_text(job, desk)
    wanted = json.loads(job.constraints) if job.constraints else []
    if _of_key(job, parse_schema(text)):
        wanted += [{"unique": [job.primary_key]}]
    assert job.rows is not None
    return SampleRequest(
        id=attempt.id,
        model="",
        out=str(desk.scratch / f"{attempt.id}.parquet"),
        rows=job.rows,
        seed=attempt.seed,
        constraints=json.dumps(wanted, ensure_ascii=False) if wanted else "",
        schema=text,
    )


def judge(job: RecordsJob, result: TableResult, desk: Desk) -> tuple[dict[str, Any] | None, list[Check]]:
    """The table's figures, None where it broke a rule before, and what the rules say of it."""
    declared = parse_schema(schema_text(job, desk))
    made = read_table(Path(result.path))
    checks = rules.judge(job, declared, made)
    if settle(checks) != "accept":
        return None, checks
    figures = quality.figures(declared, made)
    return figures, [*checks, *rules.judge_figures(job, figures)]


def lineage(job: RecordsJob, desk: Desk) -> dict[str, Any]:
    """What a table's metadata say of where it comes from."""
    return {
        # https://cv.iptc.org/newscodes/digitalsourcetype/: made by an algorithm that was trained on nothing
        "digital_source_type": "algorithmicMedia",
        "schema_sha256": identity.digest(json.loads(schema_text(job, desk))),
    }


def constraint_figures(constraints: str, made: Path) -> list[dict[str, Any]]:
    """For every rule, in words, the share of rows that break it."""
    wanted = parse_constraints(constraints)
    table: pa.Table | None = read_table(made) if wanted else None
    return [{"rule": describe(rule), "violations": round(float(violations(rule, table).mean()), 6)} for rule in wanted]


def _of_key(job: RecordsJob, declared: Declared) -> list[Unique]:
    """The rule that makes the primary key unique; none where the number of the row already does."""
    if job.primary_key is None or job.primary_key in declared.counted:
        return []
    return [Unique((job.primary_key,))]


def _check_key(job: RecordsJob, declared: Declared) -> None:
    if job.primary_key is None:
        return
    column = declared.by_name.get(job.primary_key)
    if column is None:
        raise Refused("primary_key", f"{job.primary_key!r} is no column of the schema")
    if column.nulls:
        raise Refused("primary_key", f"{job.primary_key!r} may be null; leave out its nulls")
    if isinstance(column.how, Counted) and column.how.step == 0:
        raise Refused("primary_key", f"{job.primary_key!r} is a sequence whose step is 0, and always the same")


def _check_gates(job: RecordsJob, declared: Declared) -> None:
    known = ["shape", "nulls", *(["trend"] if declared.correlations else [])]
    gates = parse_gates(job.gates)
    for name in [*gates["min"], *gates["max"]]:
        if name not in known:
            raise Refused(
                "gates",
                f"{name} cannot be a gate here: against a schema there is {', '.join(known)}"
                + ("; trend asks for correlations" if name == "trend" else ""),
            )
