"""Data sets that are made from other data sets: the parent's files come first, a missing one is a shortfall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.commit import load_commit
from tasks.desk import LocalDesk
from tasks.kinds.base import Filed, Kind
from tasks.plan.model import PlannedJob, Shard
from tasks.refine import Outcome
from tasks.store import StoreError
from tasks.workshop import Workshop


def with_parents(
    kind: Kind, jobs: Sequence[PlannedJob], shard: Shard, shop: Workshop, desk: LocalDesk
) -> tuple[list[PlannedJob], Outcome]:
    """The jobs with those items that can be made, and the others given up; the parent's data sets are on the desk."""
    if shard.after is not None:
        wanted = {item.variant for planned in jobs for item in planned.items if item.reuse is None}
        _fetch_parents(shard.after, wanted, shop, desk)
    orphans = Outcome()
    able = []
    for planned in jobs:
        if planned.job.parent_id is None:
            able.append(planned)
            continue
        kept = []
        for item in planned.items:
            if item.reuse is not None or item.variant in desk.parents:
                kept.append(item)
            else:
                reason = (
                    f"the data set of {planned.job.parent_id} that it refers to was not made; see that job's own entry"
                )
                orphans.give_up(kind, planned, item, "parent", reason)
        able.append(replace(planned, items=kept))
    return able, orphans


def _fetch_parents(shard_id: str, variants: set[int], shop: Workshop, desk: LocalDesk) -> None:
    """Put those `variants` that a shard has made of its data sets, and its job, on the desk."""
    record = load_commit(shop.store, shop.plan.run_id, shard_id)
    if record is None:
        raise StoreError(
            f"shard needs {shard_id}, which is not committed yet; make the parents' shards of the run first"
        )
    (shard,) = (shard for shard in shop.plan.shards if shard.id == shard_id)
    for planned in shop.jobs(shard):
        desk.jobs[planned.job.job_id] = Filed(planned.job)
        desk.sources.update(planned.sources)
    sha256 = {made.key: made.sha256 for made in record.objects}
    for made in [made for made in record.data_sets if made.variant in variants]:
        (name,) = (name for name in made.files if name.startswith("records/"))
        local = desk.scratch / f"parents-{made.variant}.parquet"
        shop.fetch(name, sha256[name], local)
        desk.parents[made.variant] = local
