"""What a plan is made of. `plan.json` holds a `Plan`; its partition files hold the jobs of the shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.frozen import Frozen
from tasks.kinds.base import Job

PLAN_VERSION = 1


class StoredFile(Frozen):
    """An object of an earlier run; `key` counts from the store's root."""

    key: str
    sha256: str
    size: int
    rows: int | None = None


class Counts(Frozen):
    """Items by fate."""

    requested: int = 0
    reused: int = 0


class FitTask(Frozen):
    """A record model to fit. `key` identifies the fit; `reuse` names the files of an earlier one.

    The other fields are those of `tasks.kinds.base.Fit`.
    """

    key: str
    inputs: dict[str, Any]
    source: str
    sha256: str
    steps: int
    parents: str = ""
    parents_sha256: str = ""
    reuse: list[StoredFile] | None = None


class Shard(Frozen):
    """Items that are generated and committed as one.

    `needs` is the fit shard of its model, `after` the shard of the data sets that its own are children of.
    """

    id: str
    kind: str
    group: list[str]
    items: int
    reused: int
    partition: int = -1
    row_group: int = -1
    needs: str | None = None
    after: str | None = None
    fit: FitTask | None = None


class Stored(Frozen):
    """An object that the plan refers to; `key` is relative to the run."""

    key: str
    sha256: str
    size: int
    rows: int


class Plan(Frozen):
    """A run, frozen. Workers never re-plan: everything that decides outputs stands here."""

    version: int = PLAN_VERSION
    run_id: str
    intent: str
    settings: dict[str, Any]
    rules: dict[str, str]
    models: dict[str, str]
    meta: dict[str, str]
    specs: dict[str, int]
    items: dict[str, Counts]
    partitions: dict[int, Stored]
    quarantined: list[Stored]
    shards: list[Shard]
    retry_of: str | None = None

    def totals(self) -> dict[str, Any]:
        """What people want to know of a plan, in numbers."""
        return {
            "items": sum(counts.requested for counts in self.items.values()),
            "reused": sum(counts.reused for counts in self.items.values()),
            "shards": len(self.shards),
            "quarantined": self.specs["quarantined"],
            "kinds": {kind: counts.model_dump() for kind, counts in self.items.items()},
        }


def stages(shards: Sequence[Shard]) -> list[list[Shard]]:
    """The shards of a plan in the order of their making: each waits for shards of earlier stages only."""
    found: list[list[Shard]] = []
    left, done = list(shards), {""}
    while left:
        ready = [shard for shard in left if {shard.needs or "", shard.after or ""} <= done]
        if not ready:
            raise ValueError(f"the plan's shards wait for one another: {', '.join(shard.id for shard in left[:3])} …")
        found.append(ready)
        done.update(shard.id for shard in ready)
        left = [shard for shard in left if shard.id not in done]
    return found


@dataclass(frozen=True, slots=True)
class Reuse:
    """Where an item that was made before stands: keys from the store's root, row number in its part."""

    part: str | None
    row: int
    files: list[StoredFile]


@dataclass(frozen=True, slots=True)
class Item:
    """One wanted output of a job."""

    variant: int
    content_key: str
    first_attempt: int = 0
    reuse: Reuse | None = None


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job with its items, in the order of their variants, and the SHA-256 of the files it reads, by URI."""

    job: Job
    items: list[Item]
    sources: dict[str, str] = field(default_factory=dict)
