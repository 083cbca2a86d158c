"""Business rules of a data set: whether it keeps them, beside how far its source does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.table.codec import plain_values
from models.table.constraints import (
    Constraint,
    Together,
    Unique,
    columns_of,
    describe,
    parse_constraints,
    violations,
)
from models.table.facts import marks_of
from models.table.reading import pieces, size_of
from tasks.kinds.records.copies import row_hashes

AT_ONCE = 1_000_000  # rows of the few columns that a rule names


def constraint_figures(constraints: str, source: Path, synthetic: Path) -> list[dict[str, Any]]:
    """For every rule, in words, the share of rows that break it: in the data set and in the source."""
    rules = parse_constraints(constraints)
    if not rules:
        return []
    real, made = size_of(source).rows, size_of(synthetic).rows
    return [
        {
            "rule": describe(rule),
            "violations": round(broken(rule, synthetic, source) / made, 6),
            "source": round(broken(rule, source, source) / real, 6),
        }
        for rule in rules
    ]


def broken(rule: Constraint, path: Path, source: Path) -> int:
    """How many rows of the file break the rule. It is read piece by piece, but that `unique` asks for 8 bytes a row and
    `together` for the source's combinations."""
    names = list(columns_of(rule))
    if isinstance(rule, Unique):
        return _repeated(path, names)
    real = _combinations(source, names) if isinstance(rule, Together) else None
    return sum(int(violations(rule, piece, real).sum()) for piece in pieces(path, names, AT_ONCE))


def _repeated(path: Path, names: Sequence[str]) -> int:
    """Rows that agree with an earlier one in all of the columns; null agrees with nothing."""
    found = []
    for piece in pieces(path, names, AT_ONCE):
        columns = [plain_values(piece[name]) for name in names]
        whole = np.all([np.asarray(column.is_valid()) for column in columns], axis=0)
        found.append(row_hashes([marks_of(column) for column in columns])[whole])
    hashes = np.concatenate(found) if found else np.zeros(0, np.uint64)
    return len(hashes) - len(np.unique(hashes))


def _combinations(path: Path, names: Sequence[str]) -> pa.Table:
    """The different combinations of values in the columns."""
    seen: pa.Table | None = None
    for piece in pieces(path, names, AT_ONCE):
        plain = pa.table({name: plain_values(piece[name]) for name in names})
        both = plain if seen is None else pa.concat_tables([seen, plain])
        seen = both.group_by(list(names)).aggregate([]).select(list(names))
    assert seen is not None
    return seen
