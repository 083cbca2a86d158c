"""Removing what no run refers to: leftovers of killed processes, of lost races, of half-written files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tasks.commit import commit_key, done_shards
from tasks.compaction import superseded
from tasks.index import known_runs
from tasks.manifest import commits_of
from tasks.plan.freeze import PLAN, load_plan
from tasks.store import Entry, Store

AGE = timedelta(days=1)
# Only what this program writes into a run's folder is ever looked at; anything else in the store is somebody's.
FOLDERS = ("_plan/", "_commits/", "_models/", "copy/", "images/", "files/", "records/", "quality/", "rejected/")


def garbage(store: Store, *, older_than: timedelta = AGE) -> Iterator[Entry]:
    """Objects in the folders of runs that neither plan nor commits refer to, written long enough ago."""
    for run in known_runs(store):
        yield from _garbage_of(store, run, datetime.now(UTC) - older_than)


def collect(store: Store, *, older_than: timedelta = AGE, dry_run: bool = False) -> list[str]:
    """Remove garbage and what interrupted writes left behind; gives the names removed, or that would be."""
    removed = []
    for run in known_runs(store):
        limit = datetime.now(UTC) - older_than
        found = [entry.key for entry in _garbage_of(store, run, limit)]
        if found and not dry_run:
            # Since then a resumed run may have written an old name again and committed it.
            kept = _referenced(store, run)
            found = [key for key in found if key not in kept and _still_old(store, key, limit)]
            store.delete(found)
        removed += found
    merged = [entry.key for entry in superseded(store) if entry.modified < datetime.now(UTC) - older_than]
    if merged and not dry_run:
        store.delete(merged)
    return [*removed, *merged, *store.sweep(older_than, dry_run=dry_run)]


def _garbage_of(store: Store, run: str, limit: datetime) -> Iterator[Entry]:
    kept = _referenced(store, run)
    for folder in FOLDERS:
        for entry in store.list(f"{run}/{folder}"):
            if entry.key not in kept and entry.modified < limit:
                yield entry


def _still_old(store: Store, key: str, limit: datetime) -> bool:
    entry = store.head(key)
    return entry is not None and entry.modified < limit


def _referenced(store: Store, run: str) -> set[str]:
    """What the plan and the commits refer to. Commits count even where the plan was lost: other runs may reuse them."""
    kept = {f"{run}/{PLAN}"}
    plan = load_plan(store, run)
    if plan is not None:
        kept |= {f"{run}/{stored.key}" for stored in [*plan.partitions.values(), *plan.quarantined]}
    shards = sorted(done_shards(store, run))
    for record, _ in commits_of(store, run, shards):
        kept.add(commit_key(run, record.shard))
        kept |= {f"{run}/{made.key}" for made in record.objects}
    return kept
