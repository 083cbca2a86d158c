"""Fitting a record model ahead of time: a run of one fit shard, whose model later runs reuse."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import orjson
from pydantic import ValidationError

from tasks.commit import Commit, load_commit
from tasks.desk import open_desk
from tasks.engines import EnginePool
from tasks.identity import digest
from tasks.index import announce, publish_segment
from tasks.kinds import kind as kind_named
from tasks.kinds.base import Refused
from tasks.manifest import finish
from tasks.plan.freeze import PLAN, load_plan
from tasks.plan.model import FitTask, Plan, Shard
from tasks.settings import Settings
from tasks.shard import make_shard
from tasks.specs.wording import problems
from tasks.store import Store, is_s3
from tasks.workshop import Workshop
from tasks.writer import Lease


def fit(table: str, store: Store, settings: Settings, preset: str = "default", privacy: str = "") -> Commit:
    """Fit the table at `table` and keep the model in the store. An equal fit is not made again, a failed one is.

    `privacy` is JSON as in a job's column of that name. Raises `tasks.kinds.base.Refused` for a table that cannot be
    fitted.
    """
    kind = kind_named("records")
    with open_desk(settings) as desk:
        source = table if is_s3(table) else str(Path(table).absolute())
        asked = {"job_id": "fit", "kind": "records", "source": source, "preset": preset}
        if privacy:
            asked |= {"privacy": privacy, "rows": "1"}  # of samples, which a fit does not make
        try:
            job = kind.job.model_validate(asked)
        except ValidationError as error:
            wrong = problems(error, {})[0]
            told = "; ".join(filter(None, (f"{wrong.column}: {wrong.reason}", wrong.suggestion)))
            raise Refused(wrong.column, told) from error
        prepared = kind.prepare(job, desk)
        assert prepared.fit is not None
        wanted = prepared.fit
        key = digest(["fit", wanted.inputs])
        shard = Shard(
            id=f"fit-{key[:16]}",
            kind="records",
            group=list(prepared.group),
            items=0,
            reused=0,
            fit=FitTask(key=key, inputs=wanted.inputs, source=wanted.source, sha256=wanted.sha256, steps=wanted.steps),
        )
        plan = Plan(
            run_id=_run_id(store, shard.id),
            intent=key,
            settings=settings.affecting_output(),
            rules={},
            models={},
            meta={},
            specs={"rows": 0, "valid": 0, "quarantined": 0},
            items={},
            partitions={},
            quarantined=[],
            shards=[shard],
        )
        with nullcontext() if store.probe().atomic_create else Lease(store, plan.run_id).held() as lease:
            announce(store, plan.run_id)
            data = orjson.dumps(plan.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
            if not store.create(f"{plan.run_id}/{PLAN}", data):
                plan = load_plan(store, plan.run_id) or plan
            engines = EnginePool()
            shop = Workshop(store, plan, desk, engines, check_lease=lease.check if lease else None)
            try:
                record = make_shard(plan.shards[0], shop)
            finally:
                engines.close()
            if record.fitted is not None:
                publish_segment(store, plan, desk.scratch)
                finish(store, plan)
            return record


def _run_id(store: Store, shard: str) -> str:
    """The run of a fit: named as the fit, and for every time that it failed before another."""
    run, failures = shard, 0
    while (record := load_commit(store, run, shard)) is not None and record.fitted is None:
        failures += 1
        run = f"{shard}-retry{failures}"
    return run
