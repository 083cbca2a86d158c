"""Rules of tables made from a schema. Their ids, versions and what follows a failure stand in rules.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.table.codec import plain_values
from models.table.constraints import Constraint, describe, parse_constraints, violations
from models.table.declared.columns import Chance, Declared, Ready
from models.table.declared.values import numbers_of
from tasks.kinds.base import Check
from tasks.kinds.records.declared.quality import MOST_ROWS, correlations, distance
from tasks.kinds.records.gates import missed
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.verdicts import NAMED, on_columns, on_constraints, verdict
from tasks.kinds.rulebook import digest_of, load_rules

_FILE = Path(__file__).with_name("rules.yaml")

RULES = load_rules(_FILE)
_check, _columns = partial(verdict, RULES), partial(on_columns, RULES)


def rules_digest() -> str:
    """SHA-256 of the rules in force."""
    return digest_of(_FILE)


def judge(job: RecordsJob, declared: Declared, made: pa.Table) -> list[Check]:
    """Judge a table against the schema it was made from. With other columns the other rules have nothing to say."""
    wanted = declared.schema
    same = made.schema.names == wanted.names and made.schema.types == wanted.types
    schema = _check("declared.schema", same, "the columns are not those of the schema")
    if not same:
        return [schema]
    rows = _check("declared.rows", made.num_rows == job.rows, f"{made.num_rows} rows where {job.rows} are wanted")
    if not made.num_rows:
        return [schema, rows]
    constraints = parse_constraints(job.constraints)
    drawn = [column for column in declared.columns if isinstance(column.how, Chance)]
    checks = [
        schema,
        rows,
        _columns(
            "declared.values", [c.name for c in drawn if _strange(c, made)], "values that the schema does not give in"
        ),
    ]
    if job.primary_key is not None:
        checks.append(_key(job.primary_key, made))
    if constraints:
        return [*checks, _constraints(constraints, made)]
    looked_at = made.slice(0, MOST_ROWS)
    shifted = [column.name for column in drawn if _null_shift(column, made)]
    checks.append(_columns("declared.nulls", shifted, "another share of nulls in"))
    checks.append(
        _columns("declared.distributions", [c.name for c in drawn if _far(c, looked_at)], "another distribution in")
    )
    if declared.correlations:
        checks.append(_correlations(declared, looked_at))
    return checks


def judge_figures(job: RecordsJob, figures: Mapping[str, Any]) -> list[Check]:
    """Judge a table's figures by the job's gates; no check where it has none."""
    if not job.gates:
        return []
    failing = missed(job.gates, figures)
    return [_check("declared.gates", not failing, "; ".join(failing), score=float(len(failing)))]


def _strange(column: Ready, made: pa.Table) -> bool:
    values, how = plain_values(made[column.name]).drop_null(), column.how
    assert isinstance(how, Chance)
    if not len(values):
        return False
    if column.texts is not None:
        return not pc.all(pc.is_in(values, value_set=column.texts)).as_py()
    every = [one for one in (how.base, *(how.split.marginals if how.split else ())) if one is not None]
    numbers = numbers_of(values)[0]
    ends = np.array([one.draw(np.array([0.0, 1.0])) for one in every])
    room = 1e-9 * max(1.0, float(np.abs(ends).max()))
    return bool(numbers.min() < ends.min() - room or numbers.max() > ends.max() + room)


def _null_shift(column: Ready, made: pa.Table) -> bool:
    found, declared = made[column.name].null_count / made.num_rows, column.nulls
    if declared in (0.0, 1.0):
        return found != declared
    error = (declared * (1 - declared) / made.num_rows) ** 0.5
    return abs(found - declared) > (RULES["declared.nulls"].most or 0.0) + 4 * error


def _far(column: Ready, made: pa.Table) -> bool:
    found = distance(column, made)
    return found is not None and found.found > (RULES["declared.distributions"].most or 0.0) + found.noise


def _correlations(declared: Declared, made: pa.Table) -> Check:
    # far from normal columns spread more than the textbook's error for normal ones, here doubled
    most = (RULES["declared.correlations"].most or 0.0) + 8 / max(made.num_rows, 1) ** 0.5
    met = correlations(declared, made)
    missed_ones = [one for one in met if abs(one["asked"] - one["found"]) > most]
    words = [f"{' and '.join(o['columns'])} at {o['found']:.2f} instead of {o['asked']:.2f}" for o in missed_ones]
    worst = max(abs(one["asked"] - one["found"]) for one in met)
    return _check("declared.correlations", not words, "; ".join(words[:NAMED]), score=round(worst, 6))


def _key(name: str, made: pa.Table) -> Check:
    nulls = made[name].null_count
    repeated = made.num_rows - nulls - pc.count_distinct(made[name], mode="only_valid").as_py()
    reason = f"{name} is null in {nulls} rows and repeats in {repeated}"
    return _check("declared.key", nulls == repeated == 0, reason)


def _constraints(constraints: Sequence[Constraint], made: pa.Table) -> Check:
    return on_constraints(
        RULES, "declared.constraints", {describe(rule): int(violations(rule, made).sum()) for rule in constraints}
    )
