"""The manifest: a run is finished when it stands. It is created last and once, from the commits alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orjson

from tasks import identity
from tasks.commit import Commit, commit_key
from tasks.plan.freeze import PLAN
from tasks.plan.model import Plan
from tasks.store import NotFound, Store

MANIFEST_VERSION = 1
PACKAGES = ("pressrun", "prefect", "torch", "transformers", "diffusers", "pyarrow", "boto3")
READERS = 16
FATES = ("requested", "accepted", "reused", "shortfall")


@dataclass(slots=True)
class Totals:
    """What commits add up to: items by fate and kind, and candidates, rows and tokens of the whole run."""

    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    work: Counter[str] = field(default_factory=Counter)

    def add(self, record: Commit) -> None:
        """Count one commit."""
        self.kinds.setdefault(record.kind, Counter()).update(
            requested=record.requested,
            accepted=record.accepted,
            reused=record.reused,
            shortfall=len(record.shortfall),
        )
        self.work.update(made=record.made, rejected=record.refused, rows=record.rows, tokens=record.tokens)

    @property
    def run(self) -> dict[str, int]:
        """The whole run's counts."""
        items = {fate: sum(counts[fate] for counts in self.kinds.values()) for fate in FATES}
        return items | {what: self.work[what] for what in ("made", "rejected", "rows", "tokens")}


class Unfinished(Exception):
    """Some shards of the run are not committed yet."""


def load_manifest(store: Store, run: str) -> dict[str, Any] | None:
    """The manifest of a run, or None while it is not finished."""
    try:
        manifest: dict[str, Any] = orjson.loads(store.get(f"{run}/manifest.json"))
    except NotFound:
        return None
    return manifest


def finish(store: Store, plan: Plan, *, name: str | None = None) -> dict[str, Any]:
    """Write the manifest of a run whose shards are all committed; return the one that stands.

    `name` moves the pointer of a named batch to this run, if none finished later. Raises `Unfinished`.
    """
    manifest = load_manifest(store, plan.run_id)
    if manifest is None:
        manifest = _collect(store, plan)
        if not store.create(f"{plan.run_id}/manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2)):
            standing = load_manifest(store, plan.run_id)
            assert standing is not None
            manifest = standing
    if name is not None:
        _point(store, f"latest/{batch_name(name)}.json", manifest)
    return manifest


def _point(store: Store, key: str, manifest: dict[str, Any]) -> None:
    """Let the batch's pointer name this run, unless it names one that finished later."""
    run, finished = manifest["run_id"], manifest["finished"]
    try:
        if orjson.loads(store.get(key))["finished"] > finished:
            return
    except (NotFound, ValueError, KeyError, TypeError):
        pass  # none yet, or none that can be read
    pointer = {"run_id": run, "manifest": f"{run}/manifest.json", "finished": finished}
    store.put(key, orjson.dumps(pointer, option=orjson.OPT_INDENT_2))


def batch_name(name: str) -> str:
    """`name` if it can name a batch, for it becomes part of a path. Raises `ValueError`."""
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", name):
        raise ValueError(
            f"{name!r:.150} cannot name a run or batch; use letters, digits, '.', '_' and '-', at most 128"
        )
    return name


def commits_of(store: Store, run: str, shards: Sequence[str]) -> Iterator[tuple[Commit, str]]:
    """The commits of `shards` with their SHA-256, in that order. Raises `Unfinished` for one that does not stand."""

    def read(shard: str) -> tuple[Commit, str]:
        try:
            data = store.get(commit_key(run, shard))
        except NotFound as error:
            raise Unfinished(f"shard {shard} of run {run} is not committed yet") from error
        return Commit.model_validate_json(data), identity.sha256(data)

    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(shards), 4 * READERS):
            yield from pool.map(read, shards[start : start + 4 * READERS])


def _collect(store: Store, plan: Plan) -> dict[str, Any]:
    totals = Totals({kind: Counter() for kind in plan.items})
    commits: dict[str, str] = {}
    numerics: list[dict[str, Any]] = []
    seconds = 0.0
    for record, sha256 in commits_of(store, plan.run_id, [shard.id for shard in plan.shards]):
        commits[record.shard] = sha256
        totals.add(record)
        seconds += record.seconds
        if record.numerics and record.numerics not in numerics:
            numerics.append(record.numerics)
    total, kinds = totals.run, sorted(totals.kinds.items())
    planned = store.head(f"{plan.run_id}/{PLAN}")
    assert planned is not None
    return {
        "version": MANIFEST_VERSION,
        "run_id": plan.run_id,
        "status": "shortfall" if total["shortfall"] or plan.specs["quarantined"] else "complete",
        "specs": plan.specs,
        "items": {
            **{fate: total[fate] for fate in FATES},
            "kinds": {kind: {fate: counts[fate] for fate in FATES} for kind, counts in kinds},
        },
        "candidates": {"made": total["made"], "rejected": total["rejected"]},
        "rows": total["rows"],
        "tokens": total["tokens"],
        "seconds": round(seconds, 3),
        "commits": commits,
        "digests": {
            "specs": plan.intent,
            "plan": identity.sha256(store.get(f"{plan.run_id}/{PLAN}")),
            "models": plan.models,
            "rules": plan.rules,
            "configuration": identity.digest(plan.settings),
        },
        "versions": {package: version(package) for package in PACKAGES},
        "numerics": numerics,
        "retry_of": plan.retry_of,
        "started": planned.modified.astimezone(UTC).isoformat(),
        "finished": datetime.now(UTC).isoformat(),
    }
