"""Business rules of a data set: whether it keeps them, beside how far its source does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.table.constraints import columns_of, describe, parse_constraints, violations
from models.table.reading import read_table


def constraint_figures(constraints: str, source: Path, synthetic: Path) -> list[dict[str, Any]]:
    """For every rule, in words, the share of rows that break it: in the data set and in the source."""
    rules = parse_constraints(constraints)
    if not rules:
        return []
    named = {name for rule in rules for name in columns_of(rule)}
    real, made = (read_table(path).select(sorted(named)) for path in (source, synthetic))
    return [
        {
            "rule": describe(rule),
            "violations": round(float(violations(rule, made, real).mean()), 6),
            "source": round(float(violations(rule, real, real).mean()), 6),
        }
        for rule in rules
    ]
