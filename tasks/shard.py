"""Making a shard: generate and judge its items, write their parts and files, commit.

Everything is written before the commit, under names that carry a hash of the content, so a process may die at any
instruction and two workers may make the same shard: the outputs are the same bytes under the same names.
"""

from __future__ import annotations

from functools import partial

from tasks.commit import Commit, commit, load_commit
from tasks.desk import LocalDesk, open_desk
from tasks.fits import fetch_model, make_fit, without_model
from tasks.kinds import kind as kind_named
from tasks.lineage import with_parents
from tasks.numerics import numerics
from tasks.outputs import Outputs
from tasks.plan.model import Shard
from tasks.refine import Outcome, refine
from tasks.workshop import Clock, Workshop


def make_shard(shard: Shard, shop: Workshop) -> Commit:
    """Make and commit one shard, or adopt the commit that stands.

    Raises `StoreError`, `models.host.EngineFailed`, `tasks.kinds.base.Refused` (a source or model that changed).
    """
    standing = load_commit(shop.store, shop.plan.run_id, shard.id)
    if standing is not None:
        return standing
    clock = Clock()
    with open_desk(shop.desk.settings) as scratch:
        desk = shop.desk.at_work(scratch.scratch, shop.plan.models)
        record = make_fit(shard, shop, desk, clock) if shard.fit is not None else _generate(shard, shop, desk, clock)
    record = record.model_copy(update={"seconds": clock.seconds, "numerics": numerics(desk.settings)})
    if shop.check_lease:
        shop.check_lease()
    return commit(shop.store, record)


def _generate(shard: Shard, shop: Workshop, desk: LocalDesk, clock: Clock) -> Commit:
    kind = kind_named(shard.kind)
    jobs = list(shop.jobs(shard))
    for planned in jobs:
        desk.sources.update(planned.sources)
    outputs = Outputs(shop.store, shop.plan, shard)
    old_rows = outputs.adopt(jobs)
    jobs, orphans = with_parents(kind, jobs, shard, shop, desk)
    if shard.needs is not None and not fetch_model(shard.needs, shop, desk):
        outcome = without_model(kind, jobs)
    elif shard.reused == shard.items:
        outcome = Outcome()
    else:
        opening = shop.engines.use(kind.engine(shard.group, desk), timeout=_timeout(shard, desk))
        with clock.waiting_for(opening) as engine:
            outcome = refine(
                kind,
                iter(jobs),
                engine,
                desk,
                reused=lambda item: old_rows.get(item.content_key),
                window=4 * _batch(shard.kind, desk),
                on_result=partial(shop.on_progress, shard) if shop.on_progress else None,
            )
    outcome.shortfall += orphans.shortfall
    outcome.rejected += orphans.rejected
    return outputs.write(kind, outcome, list(old_rows.values()))


def _timeout(shard: Shard, desk: LocalDesk) -> float:
    # a data set is one result, however many rows it has
    return desk.settings.fit_timeout if shard.kind == "records" else desk.settings.engine_timeout


def _batch(kind: str, desk: LocalDesk) -> int:
    return {"copy": desk.settings.copy_batch, "image": desk.settings.image_batch}.get(kind, 1)
