"""Rules of synthetic tables. Their ids, versions and what follows a failure stand in rules.yaml.

A reason names columns and counts, never a value: it goes into logs and reports that more people read than the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.table.conditions import parse_conditions
from models.table.constraints import Constraint, Present, describe, parse_constraints
from models.table.facts import Facts
from models.table.number import FEW_VALUES
from models.table.reading import size_of
from models.table.survey import Wanted, gather
from tasks.kinds.base import Check
from tasks.kinds.records.business import broken
from tasks.kinds.records.copies import CopyRate, copy_rate_of_files
from tasks.kinds.records.gates import missed
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.kinship import parse_parent
from tasks.kinds.records.pairs import Pair, learned, pair_up
from tasks.kinds.records.verdicts import NAMED, on_columns, on_constraints, verdict
from tasks.kinds.records.views import MADE_ANEW
from tasks.kinds.rulebook import digest_of, load_rules

_FILE = Path(__file__).with_name("rules.yaml")


RULES = load_rules(_FILE)
_check, _columns = partial(verdict, RULES), partial(on_columns, RULES)


def rules_digest() -> str:
    """SHA-256 of the rules in force."""
    return digest_of(_FILE)


def judge(
    job: RecordsJob, source: Path, synthetic: Path, kinship: Mapping[str, Any] | None = None
) -> tuple[list[Check], dict[str, str]]:
    """Judge a synthetic table against its source, and by its `kinship` where it is the child of another.

    Beside the checks stands how each column is treated, by all rows of the source; nothing where the schema is wrong.
    With another schema the other rules have nothing to say. References are new, so that nothing but what they refer to
    can be asked of them; how many rows a child has follows from its parent.
    """
    real, made = size_of(source), size_of(synthetic)
    schema = _schema(real.schema, made.schema)
    if schema.verdict != "accept":
        return [schema], {}
    parent = parse_parent(job.parent)
    every = pair_up(source, synthetic, job.primary_key)
    pairs = [pair for pair in every if parent is None or pair.name != parent.column]
    wanted = job.rows or real.rows
    counted = _check("records.rows", made.rows == wanted, f"{made.rows} rows where {wanted} are wanted")
    checks = [
        schema,
        *([counted] if kinship is None else _kinship(kinship)),
        _columns("records.ranges", [p.name for p in pairs if _out_of_range(p)], "values beyond the source's range in"),
        _columns("records.categories", [p.name for p in pairs if _unknown(p)], "values that the source lacks in"),
        _columns("records.nulls", [p.name for p in pairs if _null_shift(p, job)], "another share of nulls in"),
        _columns("records.invented", [p.name for p in pairs if _repeats_source(p)], "values of the source's own in"),
    ]
    checks += [_key(pair.name, pair.synthetic) for pair in every if pair.name == job.primary_key]
    if business := [*parse_constraints(job.constraints), *parse_conditions(job.conditions).rules]:
        checks.append(_constraints(business, source, synthetic))
    checks.append(_copies(copy_rate_of_files(source, synthetic, learned(pairs))))
    return checks, {pair.name: pair.role for pair in every}


def judge_alone(job: RecordsJob, schema: pa.Schema, synthetic: Path) -> list[Check]:
    """Judge a synthetic table by what is public of its source: its `schema`. No row of the source is looked at."""
    made = size_of(synthetic)
    same = _schema(schema, made.schema)
    if same.verdict != "accept":
        return [same]
    checks = [same, _check("records.rows", made.rows == job.rows, f"{made.rows} rows where {job.rows} are wanted")]
    if job.primary_key is not None:
        checks.append(_key(job.primary_key, gather(synthetic, {job.primary_key: Wanted(marks=True)})[job.primary_key]))
    if business := [*parse_constraints(job.constraints), *parse_conditions(job.conditions).rules]:
        checks.append(_constraints(business, synthetic, synthetic))
    return checks


def _schema(real: pa.Schema, made: pa.Schema) -> Check:
    if real.names != made.names:
        missing, extra = set(real.names) - set(made.names), set(made.names) - set(real.names)
        detail = f"missing {sorted(missing)}, extra {sorted(extra)}" if missing or extra else "another order"
        return _check("records.schema", False, f"the columns are not the source's: {detail}")
    other = [f"{a.name} is {b.type} instead of {a.type}" for a, b in zip(real, made, strict=True) if a.type != b.type]
    return _check("records.schema", not other, "; ".join(other[:NAMED]))


def _out_of_range(pair: Pair) -> bool:
    made, real = pair.synthetic, pair.source
    if pair.role in (*MADE_ANEW, "category") or made.low is None or made.high is None:
        return False
    return real.low is None or real.high is None or made.low < real.low or made.high > real.high


def _unknown(pair: Pair) -> bool:
    if pair.role != "category" or pair.source.distinct > FEW_VALUES:  # rare ones are written anew there
        return False
    return not pair.shared.all()


def _null_shift(pair: Pair, job: RecordsJob) -> bool:
    # Where a job conditions its records, nulls follow from that; where it forbids them, there are none.
    wanted = any(isinstance(r, Present) and r.column == pair.name for r in parse_constraints(job.constraints))
    if not pair.synthetic.rows or job.conditions or wanted:
        return False
    real, made = pair.nulls
    if real in (0.0, 1.0):
        return made != real
    error = (real * (1 - real) * (1 / pair.source.rows + 1 / pair.synthetic.rows)) ** 0.5
    return abs(real - made) > (RULES["records.nulls"].most or 0.0) + 4 * error


def _repeats_source(pair: Pair) -> bool:
    return pair.role in MADE_ANEW and bool(pair.shared.any())


def _key(name: str, made: Facts) -> Check:
    repeated = made.rows - made.distinct - (made.nulls > 0)
    return _check(
        "records.key",
        made.nulls == 0 and repeated == 0,
        f"{name} is null in {made.nulls} rows and repeats in {repeated}",
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


def _constraints(constraints: Sequence[Constraint], source: Path, synthetic: Path) -> Check:
    counts = {describe(rule): broken(rule, synthetic, source) for rule in constraints}
    return on_constraints(RULES, "records.constraints", counts)


def _copies(rate: CopyRate) -> Check:
    reason = (
        f"{rate.synthetic:.2%} of the rows occur in a half of the source, where its other half shares {rate.real:.2%}"
    )
    return _check("records.copies", rate.synthetic <= rate.real + rate.slack, reason, score=round(rate.synthetic, 6))
