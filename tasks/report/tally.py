"""Counting what a run asked for and made, in one pass over its commits and in memory that does not grow with items."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tasks.commit import Commit, DataSet, Short, done_shards
from tasks.manifest import commits_of
from tasks.plan.model import Plan, Shard
from tasks.store import Store

MAX_GIVEN_UP = 100
MAX_DATA_SETS = 12


@dataclass(slots=True)
class Tally:
    """What became of the items of one kind, or of all. `seconds` are those of its shards, fits included."""

    kind: str
    requested: int = 0
    accepted: int = 0
    reused: int = 0
    given_up: int = 0
    made: int = 0
    refused: int = 0
    rows: int = 0
    tokens: int = 0
    seconds: float = 0.0
    shards: int = 0
    shards_done: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def new(self) -> int:
        """Accepted items that this run made itself."""
        return self.accepted - self.reused

    @property
    def pending(self) -> int:
        """Items that no commit speaks of yet."""
        return max(0, self.requested - self.accepted - self.given_up)


@dataclass(slots=True)
class Sheet:
    """The counts of a run, and where the samples for its report can be read."""

    kinds: list[Tally]
    total: Tally
    finished: bool
    parts: dict[str, list[tuple[Shard, str]]] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    data_sets: list[DataSet] = field(default_factory=list)
    data_sets_total: int = 0
    given_up: list[tuple[str, Short]] = field(default_factory=list)
    numerics: list[dict[str, Any]] = field(default_factory=list)


def count(store: Store, plan: Plan, *, finished: bool) -> Sheet:
    """Read the commits of a run, one window after the other. Of an unfinished run, those that stand."""
    kinds = {name: Tally(name, requested=counts.requested) for name, counts in sorted(plan.items.items())}
    sheet = Sheet([], Tally("all"), finished)
    shards = {shard.id: shard for shard in plan.shards}
    for shard in plan.shards:
        kinds.setdefault(shard.kind, Tally(shard.kind)).shards += 1
    standing = set(shards) if finished else done_shards(store, plan.run_id)
    refused_first: list[str] = []
    for record, _ in commits_of(store, plan.run_id, [name for name in shards if name in standing]):
        tally = kinds.setdefault(record.kind, Tally(record.kind))
        _add(tally, record)
        if record.part is not None:
            sheet.parts.setdefault(record.kind, []).append((shards[record.shard], record.part))
        if record.rejected is not None:
            # Parts that tell why items were given up come before those that tell of candidates made good later.
            (refused_first if record.shortfall else sheet.rejected).append(record.rejected)
        sheet.data_sets_total += len(record.data_sets)
        sheet.data_sets.extend(record.data_sets[: MAX_DATA_SETS - len(sheet.data_sets)])
        room = MAX_GIVEN_UP - len(sheet.given_up)
        sheet.given_up.extend((record.kind, short) for short in record.shortfall[:room])
        if record.numerics and record.numerics not in sheet.numerics:
            sheet.numerics.append(record.numerics)
    sheet.rejected = refused_first + sheet.rejected
    sheet.kinds = list(kinds.values())
    for tally in sheet.kinds:
        _sum(sheet.total, tally)
    return sheet


def _add(tally: Tally, record: Commit) -> None:
    tally.accepted += record.accepted
    tally.reused += record.reused
    tally.given_up += len(record.shortfall)
    tally.made += record.made
    tally.refused += record.refused
    tally.rows += record.rows
    tally.tokens += record.tokens
    tally.seconds += record.seconds
    tally.shards_done += 1
    tally.refusals.update(record.refusals)


def _sum(total: Tally, tally: Tally) -> None:
    for name in ("requested", "accepted", "reused", "given_up", "made", "refused", "rows", "tokens", "seconds"):
        setattr(total, name, getattr(total, name) + getattr(tally, name))
    total.shards += tally.shards
    total.shards_done += tally.shards_done
    total.refusals.update(tally.refusals)
