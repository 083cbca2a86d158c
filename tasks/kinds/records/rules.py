"""Rules of synthetic tables. Their ids, versions and what follows a failure stand in rules.yaml.

A reason names columns and counts, never a value: it goes into logs and reports that more people read than the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.table.conditions import parse_conditions
from models.table.constraints import Constraint, Present, describe, parse_constraints, violations
from models.table.number import FEW_VALUES
from models.table.reading import read_table
from tasks.kinds.base import Check
from tasks.kinds.records.copies import copy_rate
from tasks.kinds.records.gates import missed
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.kinship import parse_parent
from tasks.kinds.records.views import MADE_ANEW, View, side_by_side
from tasks.kinds.rulebook import digest_of, load_rules

_FILE = Path(__file__).with_name("rules.yaml")
_NAMED = 5  # columns that a reason names


RULES = load_rules(_FILE)


def rules_digest() -> str:
    """SHA-256 of the rules in force."""
    return digest_of(_FILE)


def judge(job: RecordsJob, source: Path, synthetic: Path, kinship: Mapping[str, Any] | None = None) -> list[Check]:
    """Judge a synthetic table against its source, and by its `kinship` where it is the child of another.

    With another schema the other rules have nothing to say. References are new, so that nothing but what they refer to
    can be asked of them; how many rows a child has follows from its parent.
    """
    real, made = read_table(source), read_table(synthetic)
    schema = _schema(real.schema, made.schema)
    if schema.verdict != "accept":
        return [schema]
    parent = parse_parent(job.parent)
    views = side_by_side(real, made, job.primary_key, without=[parent.column] if parent else [])
    wanted = job.rows or real.num_rows
    counted = _check("records.rows", made.num_rows == wanted, f"{made.num_rows} rows where {wanted} are wanted")
    checks = [
        schema,
        *([counted] if kinship is None else _kinship(kinship)),
        _columns("records.ranges", [v for v in views if _out_of_range(v)], "values beyond the source's range in"),
        _columns("records.categories", [v for v in views if _unknown(v)], "values that the source lacks in"),
        _columns("records.nulls", [v for v in views if _null_shift(v, job)], "another share of nulls in"),
        _columns("records.invented", [v for v in views if _repeats_source(v)], "values of the source's own in"),
    ]
    if job.primary_key is not None:
        others = set(real.schema.names) - {job.primary_key}
        checks.append(_key(side_by_side(real, made, job.primary_key, without=others)[0]))
    if business := [*parse_constraints(job.constraints), *parse_conditions(job.conditions).rules]:
        checks.append(_constraints(business, made, real))
    checks.append(_copies(views))
    return checks


def _schema(real: pa.Schema, made: pa.Schema) -> Check:
    if real.names != made.names:
        missing, extra = set(real.names) - set(made.names), set(made.names) - set(real.names)
        detail = f"missing {sorted(missing)}, extra {sorted(extra)}" if missing or extra else "another order"
        return _check("records.schema", False, f"the columns are not the source's: {detail}")
    other = [f"{a.name} is {b.type} instead of {a.type}" for a, b in zip(real, made, strict=True) if a.type != b.type]
    return _check("records.schema", not other, "; ".join(other[:_NAMED]))


def _out_of_range(view: View) -> bool:
    if view.source is None or view.synthetic is None or view.role in MADE_ANEW:
        return False
    real, made = view.source[~np.isnan(view.source)], view.synthetic[~np.isnan(view.synthetic)]
    if not len(made):
        return False
    return not len(real) or bool(made.min() < real.min() or made.max() > real.max())


def _unknown(view: View) -> bool:
    if view.role != "category":
        return False
    known = np.unique(view.source_codes[view.source_codes >= 0])
    if len(known) > FEW_VALUES:  # rare ones are written anew there
        return False
    return bool((~np.isin(view.synthetic_codes[view.synthetic_codes >= 0], known)).any())


def _null_shift(view: View, job: RecordsJob) -> bool:
    # Where a job conditions its records, nulls follow from that; where it forbids them, there are none.
    wanted = any(isinstance(r, Present) and r.column == view.name for r in parse_constraints(job.constraints))
    if not len(view.synthetic_codes) or job.conditions or wanted:
        return False
    real, made = float((view.source_codes < 0).mean()), float((view.synthetic_codes < 0).mean())
    if real in (0.0, 1.0):
        return made != real
    error = (real * (1 - real) * (1 / len(view.source_codes) + 1 / len(view.synthetic_codes))) ** 0.5
    return abs(real - made) > (RULES["records.nulls"].most or 0.0) + 4 * error


def _repeats_source(view: View) -> bool:
    if view.role not in MADE_ANEW:
        return False
    return bool(np.isin(view.synthetic_codes[view.synthetic_codes >= 0], view.source_codes).any())


def _key(view: View) -> Check:
    codes = view.synthetic_codes
    nulls, repeated = int((codes < 0).sum()), len(codes) - len(np.unique(codes))
    return _check(
        "records.key", nulls == 0 and repeated == 0, f"{view.name} is null in {nulls} rows and repeats in {repeated}"
    )


def _kinship(kinship: Mapping[str, Any]) -> list[Check]:
    job, lost, late, children = (kinship[name] for name in ("job", "orphans", "out_of_order", "children_per_parent"))
    most = (RULES["records.children"].most or 0.0) + 2 * children["noise"]
    amount = f"{children['synthetic']:.2f} for each of {job} on average instead of {children['source']:.2f}"
    return [
        _check(
            "records.references",
            lost == late == 0,
            f"{lost} rows refer to no record of {job}, {late} come before an elder sibling",
        ),
        _check(
            "records.children",
            children["ks"] <= most,
            f"{amount}; their distribution is {children['ks']:.3f} away",
            score=children["ks"],
        ),
    ]


def judge_figures(job: RecordsJob, figures: Mapping[str, Any]) -> list[Check]:
    """Judge a data set's figures by the job's gates; no check where it has none."""
    if not job.gates:
        return []
    failing = missed(job.gates, figures)
    return [_check("records.gates", not failing, "; ".join(failing), score=float(len(failing)))]


def _constraints(constraints: Sequence[Constraint], made: pa.Table, real: pa.Table) -> Check:
    broken = {describe(rule): int(violations(rule, made, real).sum()) for rule in constraints}
    failing = [f"{words} in {count} rows" for words, count in broken.items() if count]
    reason = f"rules are broken: {'; '.join(failing[:_NAMED])}"
    return _check("records.constraints", not failing, reason, score=float(len(failing)))


def _copies(views: Sequence[View]) -> Check:
    rate = copy_rate(views)
    reason = (
        f"{rate.synthetic:.2%} of the rows occur in a half of the source, where its other half shares {rate.real:.2%}"
    )
    return _check("records.copies", rate.synthetic <= rate.real + rate.slack, reason, score=round(rate.synthetic, 6))


def _columns(rule: str, failing: Sequence[View], wording: str) -> Check:
    names = ", ".join(view.name for view in failing[:_NAMED])
    more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
    return _check(rule, not failing, f"{wording} {names}{more}", score=float(len(failing)))


def _check(rule: str, passed: bool, reason: str, score: float | None = None) -> Check:
    stated = RULES[rule]
    verdict = "accept" if passed else stated.on_fail
    return Check(rule=rule, version=stated.version, verdict=verdict, score=score, reason="" if passed else reason)
