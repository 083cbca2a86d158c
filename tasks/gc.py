"""Removing what no run refers to: leftovers of killed processes, of lost races, of half-written files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tasks.commit import commit_key, done_shards
from tasks.index import known_runs
from tasks.manifest import commits_of
from tasks.plan.freeze import PLAN, load_plan
from tasks.store import Entry, Store

AGE = timedelta(days=1)
# Only what this program writes into a run's folder is ever looked at; anything else in the store is somebody's.
FOLDERS = ("_plan/", "_commits/", "_models/", "copy/", "images/", "files/", "records/", "quality/", "rejected/")


def garbage(store: Store, *, older_than: timedelta = AGE) -> Iterator[Entry]:
    """Objects in the folders of runs that neither plan nor commits refer to, written long enough ago."""
    limit = datetime.now(UTC) - older_than
    for run in known_runs(store):
        kept = _referenced(store, run)
        for folder in FOLDERS:
            for entry in store.list(f"{run}/{folder}"):
                if entry.key not in kept and entry.modified < limit:
                    yield entry


def collect(store: Store, *, older_than: timedelta = AGE, dry_run: bool = False) -> list[str]:
    """Remove garbage and what interrupted writes left behind; gives the names removed, or that would be."""
    found = [entry.key for entry in garbage(store, older_than=older_than)]
    if not dry_run:
        store.delete(found)
    return found + store.sweep(older_than, dry_run=dry_run)


def _referenced(store: Store, run: str) -> set[str]:
    kept = {f"{run}/{PLAN}"}
    plan = load_plan(store, run)
    if plan is None:
        return kept
    kept |= {f"{run}/{stored.key}" for stored in [*plan.partitions.values(), *plan.quarantined]}
    shards = sorted(done_shards(store, run))
    for record, _ in commits_of(store, run, shards):
        kept.add(commit_key(run, record.shard))
        kept |= {f"{run}/{made.key}" for made in record.objects}
    return kept
