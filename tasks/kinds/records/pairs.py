"""Columns of a source and a synthetic table beside each other, by facts of all their rows: for files of any size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.types as pt

from models.table.codec import plain_values
from models.table.columns import role_of
from models.table.facts import Facts
from models.table.sampling import sample_rows
from models.table.survey import Wanted, gather, wanted_of
from tasks.kinds.records.views import MADE_ANEW

LOOKED_AT = 100_000  # rows that decide what has to be gathered


@dataclass(frozen=True, slots=True)
class Pair:
    """One column of both tables; `role` is how the source's column is treated."""

    name: str
    role: str
    source: Facts
    synthetic: Facts

    @property
    def nulls(self) -> tuple[float, float]:
        """The shares of nulls, of the source and of the synthetic table; 0 of a table without rows."""
        source, synthetic = (side.nulls / max(side.rows, 1) for side in (self.source, self.synthetic))
        return source, synthetic

    @property
    def shared(self) -> np.ndarray:
        """For each distinct synthetic value whether the source has it, of columns whose values are kept apart."""
        return np.isin(self.synthetic.all_marks, self.source.all_marks)


def pair_up(source: Path, synthetic: Path, primary_key: str | None = None, without: Collection[str] = ()) -> list[Pair]:
    """Pairs of all columns but those `without`, in order. The files have equal schemas.

    Each file is passed once; memory grows by 8 bytes for each different text, and each value that may be a key.
    """
    roles, real = _treated(source, primary_key, without)
    apart = {name for name, role in roles.items() if role in (*MADE_ANEW, "category") or name == primary_key}
    made = gather(synthetic, {name: Wanted(name in apart, facts.date_format) for name, facts in real.items()})
    return [Pair(name, roles[name], real[name], made[name]) for name in real]


def roles_of(source: Path, primary_key: str | None = None, without: Collection[str] = ()) -> dict[str, str]:
    """How each column but those `without` is treated, by all rows of the file; it is passed once."""
    return _treated(source, primary_key, without)[0]


def learned(pairs: Collection[Pair]) -> list[str]:
    """The columns whose values are learned, not made anew."""
    return [pair.name for pair in pairs if pair.role not in MADE_ANEW]


def _treated(
    source: Path, primary_key: str | None, without: Collection[str]
) -> tuple[dict[str, str], dict[str, Facts]]:
    """The role of each column but those `without`, and the facts that it follows from."""
    head = sample_rows(source, LOOKED_AT, np.random.default_rng(0), without=[*without])
    wanted, kinds = {}, {}
    for name in head.schema.names:
        values = plain_values(head[name])
        kinds[name] = values.slice(0, 0)
        wanted[name] = wanted_of(values, primary_key=name == primary_key)
    del head
    facts = gather(source, wanted)
    roles = {}
    for name, none in kinds.items():
        roles[name] = role_of(name, none, primary_key=name == primary_key, facts=facts[name])
        if pt.is_boolean(none.type) and roles[name] == "number":
            roles[name] = "category"
    return roles, facts
