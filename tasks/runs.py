"""The runs of a store, finished and unfinished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.commit import done_shards
from tasks.index import known_runs
from tasks.manifest import load_manifest
from tasks.plan.freeze import load_plan
from tasks.store import Store


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in a line; `status` is complete, shortfall or unfinished."""

    run_id: str
    status: str
    requested: int
    accepted: int | None
    shards: int
    shards_done: int
    finished: str | None


def runs(store: Store) -> Iterator[RunSummary]:
    """The runs of a store, newest first."""
    for run in known_runs(store):
        plan = load_plan(store, run)
        if plan is None:
            continue
        totals = plan.totals()
        if manifest := load_manifest(store, run):
            yield RunSummary(
                run,
                manifest["status"],
                manifest["items"]["requested"],
                manifest["items"]["accepted"],
                totals["shards"],
                totals["shards"],
                manifest["finished"],
            )
        else:
            done = len(done_shards(store, run))
            yield RunSummary(run, "unfinished", totals["items"], None, totals["shards"], done, None)
