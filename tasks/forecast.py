"""What a plan would cost, going by what the store's last finished runs took."""

from __future__ import annotations

from tasks.commit import load_commit
from tasks.index import known_runs
from tasks.manifest import load_manifest
from tasks.plan.model import Plan
from tasks.store import Store

RUNS_ASKED = 5
SHARDS_ASKED = 20


def forecast(store: Store, plan: Plan) -> dict[str, float | None]:
    """Seconds of work by kind for the items not made before; None where no run tells."""
    return {
        kind: None if (pace := _seconds_per_item(store, kind)) is None else pace * (counts.requested - counts.reused)
        for kind, counts in plan.items.items()
    }


def _seconds_per_item(store: Store, kind: str) -> float | None:
    """Seconds per accepted new item of a kind in the newest finished run that made any."""
    for run in known_runs(store)[:RUNS_ASKED]:
        manifest = load_manifest(store, run)
        if manifest is None or kind not in manifest["items"]["kinds"]:
            continue
        shards = [shard for shard in manifest["commits"] if shard.startswith(f"{kind}-")][:SHARDS_ASKED]
        records = [record for shard in shards if (record := load_commit(store, run, shard)) is not None]
        made = sum(record.accepted - record.reused for record in records)
        if made:
            return sum(record.seconds for record in records) / made
    return None
