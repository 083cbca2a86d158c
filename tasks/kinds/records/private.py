"""Records jobs under differential privacy: what planning must refuse, and what is said of a data set.

The guarantee covers the data sets and the fitted model. So nothing that follows from the source's rows may reach them
by another way: the seed of a sample does not come from the source's digest, no rule that looks at the source decides
about a data set, and figures that compare with the source are made only where the job asks for them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from models.engine import SampleRequest, TableResult
from models.table.conditions import parse_conditions
from models.table.constraints import Sum, Together, check_constraints, describe, parse_constraints
from models.table.physical import is_string, value_type
from models.table.private.public import Key, Made, Numbers, Values, check_told, declared, of_source
from models.table.private.settings import REST, SOURCE, Privacy, parse_privacy
from models.table.reading import is_parquet, pieces
from tasks import identity
from tasks.kinds.base import Attempt, Check, Desk, Fit, Prepared, Refused, settle
from tasks.kinds.records import quality, rules, source
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.pairs import roles_of

FIT_VERSION = 1  # raise it when the same table and settings would be fitted otherwise
FAMILY = "private"
AFTERWARDS = (
    "make a private data set without it, and name that as the source of a job without privacy: it costs nothing"
)


def prepare(job: RecordsJob, path: Path, desk: Desk) -> Prepared:
    """What planning must know of a job on the source at `path`. Jobs with the same settings share a fit, whatever else
    they ask for, so that the budget is spent once. Raises `Refused`."""
    privacy = _settings(job)
    head = source.head(path)
    _check_public(job, privacy, path, head.schema)
    _check_asked(job, privacy, head)
    digest = desk.source_digest("source", job.source)
    fit_inputs = {
        "source": digest,
        "family": FAMILY,
        "preset": "default",
        "privacy": replace(privacy, compare=False).to_json(),
        "primary_key": job.primary_key or "",
        "order": [],
        "together": [],
        "version": FIT_VERSION,
        "model": desk.model_digest("records", "table"),
    }
    inputs = {
        "seeds": [desk.settings.seed, job.seed],
        "rows": job.rows,
        "conditions": job.conditions,
        "constraints": job.constraints,
        "compare": privacy.compare,
        **({"figures": quality.VERSION} if privacy.compare else {}),
        "fit": fit_inputs,
        "rules": rules.rules_digest(),
    }
    fit = Fit(inputs=fit_inputs, source=job.source, sha256=digest, steps=0)
    group = ("table", identity.digest(fit_inputs)[:12])
    return Prepared(inputs=inputs, group=group, fit=fit, sources={job.source: digest})


def request(job: RecordsJob, attempt: Attempt, desk: Desk) -> SampleRequest:
    """One data set."""
    assert job.rows is not None
    return SampleRequest(
        id=attempt.id,
        model=str(desk.fitted()),
        out=str(desk.scratch / f"{attempt.id}.parquet"),
        rows=job.rows,
        seed=seed(job, attempt, desk),
        constraints=job.constraints,
        conditions=job.conditions,
    )


def seed(job: RecordsJob, attempt: Attempt, desk: Desk) -> int:
    """The seed of a sample. The attempt's own comes from the source's digest, and so would tell of the source."""
    drawn = ["private", desk.settings.seed, job.seed, job.job_id, attempt.variant]
    return identity.candidate_seed(identity.digest(drawn), attempt.number)


def judge(
    job: RecordsJob, attempt: Attempt, result: TableResult, desk: Desk
) -> tuple[dict[str, Any] | None, list[Check]]:
    """The figures, where the job wants a comparison that no budget pays for, and what the rules say of the file."""
    real, made = desk.source("source", job.source), Path(result.path)
    checks = rules.judge_alone(job, source.head(real, 1).schema, made)
    if settle(checks) != "accept" or not _settings(job).compare:
        return None, checks
    roles = _roles(job, real)
    return quality.figures(real, made, seed=attempt.seed, target=_settings(job).target, roles=roles), checks


def statement(result: TableResult, job: RecordsJob) -> dict[str, Any]:
    """What was promised and spent, for a data set's report."""
    compared = _settings(job).compare
    return {
        **result.info["privacy"],
        "covers": "the records and the fitted model" + ("; not the figures of this file" if compared else ""),
    }


def _roles(job: RecordsJob, path: Path) -> dict[str, str]:
    """How columns are treated. What is declared as a key or made up by a template is neither learned nor compared."""
    privacy, anew = _settings(job), {}
    for field in source.head(path, 1).schema:
        entry = privacy.of(field.name)
        told = None if entry is None or entry == SOURCE else declared(field, entry)
        if isinstance(told, Key | Made):
            anew[field.name] = "key" if isinstance(told, Key) else "text"
    return roles_of(path, job.primary_key) | anew


def _settings(job: RecordsJob) -> Privacy:
    privacy = parse_privacy(job.privacy)
    assert privacy is not None
    return privacy


def _check_public(job: RecordsJob, privacy: Privacy, path: Path, schema: pa.Schema) -> None:
    """Raise `Refused` where something is neither public nor can be learned."""
    if not is_parquet(path) and privacy.public.get(REST) != SOURCE:
        reason = "the types of a CSV's columns follow from its rows; convert it to Parquet, which declares them"
        raise Refused("source", f'{reason}, or take all from the source ("*": "source")')
    try:
        check_told(schema, privacy, job.primary_key)
        for field in schema:
            entry = privacy.of(field.name)
            if entry == SOURCE and is_string(value_type(field.type)):  # whether it is free text, only its values tell
                values = pa.chunked_array(
                    [c for p in pieces(path, [field.name]) for c in p[field.name].chunks], field.type
                )
                of_source(field, values)
            told = None if entry is None or entry == SOURCE else declared(field, entry)
            if job.primary_key == field.name and isinstance(told, Numbers | Values):
                raise ValueError(f"the primary key {field.name!r} has a range or values; write key or a template")
            if job.primary_key == field.name and told is None and not pt.is_integer(field.type):
                raise ValueError(f"the primary key {field.name!r} is {field.type}; write a template for it")
    except ValueError as error:
        raise Refused("privacy", str(error)) from error
    if job.primary_key is not None and job.primary_key not in schema.names:
        raise Refused("primary_key", f"{job.primary_key!r} is no column of {job.source}")


def _check_asked(job: RecordsJob, privacy: Privacy, head: pa.Table) -> None:
    """Raise `Refused` for constraints and conditions that a private model cannot keep."""
    constraints, conditions = parse_constraints(job.constraints), parse_conditions(job.conditions)
    try:
        check_constraints(constraints, head)
    except ValueError as error:
        raise Refused("constraints", str(error)) from error
    for rule in constraints:
        if isinstance(rule, Sum | Together):
            raise Refused("constraints", f"under privacy there is no rule {describe(rule)}; {AFTERWARDS}")
    other = [name for name in conditions.columns if name != privacy.target]
    if other:
        reason = f"under privacy conditions go with the target alone, not with {', '.join(map(repr, other))}"
        raise Refused("conditions", f"{reason}; name it as the target in privacy, or {AFTERWARDS}")
