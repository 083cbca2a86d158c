"""The flow `generate`: read job specs, plan, make every shard, write the manifest and the report."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, State
from prefect.tasks import exponential_backoff
from pydantic import Field

from flows import artifacts, progress
from tasks import report
from tasks.begin import begin, spec_names
from tasks.budget import Budget
from tasks.commit import done_shards
from tasks.engines import EnginePool
from tasks.index import publish_segment
from tasks.manifest import commits_of, finish, load_manifest
from tasks.plan.model import Plan, Shard, stages
from tasks.refine import Outcome
from tasks.settings import Settings, load
from tasks.shard import make_shard
from tasks.store import Transient, open_store
from tasks.workshop import Workshop

MAX_TASK_RUNS = 1_000  # Prefect's server is a display; beyond this it loses runs


def _flow_run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"{parameters.get('name') or spec_names(parameters['specs'])} → {parameters['to']}"


@flow(name="generate", flow_run_name=_flow_run_name, validate_parameters=True, persist_result=False)
def generate(
    specs: Annotated[list[str], Field(min_length=1)],
    to: str,
    run_id: str | None = None,
    name: str | None = None,
    profile: str = "starter",
    seed: Annotated[int, Field(ge=0)] | None = None,
    limit: Annotated[int, Field(ge=1)] | None = None,
    strict: bool = False,
    retry_shortfall: bool = False,
    max_tokens: Annotated[int, Field(ge=1)] | None = None,
    settings: dict[str, Any] | None = None,
) -> State[dict[str, Any]]:
    """Make what the specs ask for; give the run's manifest.

    A run that fell short, or set spec rows aside, ends as `Completed` with the name `Shortfall`.

    Args:
        specs: Spec files: paths or s3:// URIs of Parquet, CSV or JSON lines.
        to: Where outputs go: a folder or s3://bucket/prefix.
        run_id: Names the run; {date} becomes the day it was scheduled for. Empty: made from content and settings.
        name: Name of the batch; latest/NAME.json then points to this run.
        profile: Named set of settings: starter or gpu.
        seed: Seed of the whole run.
        limit: Only the first so many jobs.
        strict: Stop at the first bad row instead of setting it aside.
        retry_shortfall: Try again what an earlier run gave up.
        max_tokens: Hard cap on tokens; what was committed stays.
        settings: Single settings, over the profile's.
    """
    chosen = load(profile, {**(settings or {}), **({} if seed is None else {"seed": seed})})
    store = open_store(to)
    probe = store.probe()
    progress.tell("store", uri=store.uri, atomic_create=probe.atomic_create, detail=probe.detail)
    with begin(
        specs,
        store,
        chosen,
        run_id=_dated(run_id),
        limit=limit,
        strict=strict,
        retry_shortfall=retry_shortfall,
        atomic_create=probe.atomic_create,
        progress=lambda rows: progress.tell("reading", rows=rows),
    ) as begun:
        plan = begun.plan
        progress.tell(
            "plan",
            run_id=plan.run_id,
            resumed=begun.resumed,
            aside=begun.aside,
            rejected=store.join(f"{plan.run_id}/rejected"),
            **plan.totals(),
        )
        if load_manifest(store, plan.run_id) is None:
            engines = EnginePool(on_event=lambda event, details: progress.tell(f"engine {event}", **details))
            shop = Workshop(store, plan, begun.desk, engines, check_lease=begun.check_lease)
            _make_all(shop, chosen, max_tokens)
            publish_segment(store, plan, begun.desk.scratch)
        manifest = finish(store, plan, name=name)
        page = report.write(store, plan.run_id, begun.desk.scratch)
    artifacts.publish(manifest, page)
    progress.tell("finished", manifest=manifest, report=page)
    if manifest["status"] == "complete":
        return Completed(data=manifest)
    return Completed(name="Shortfall", message=artifacts.in_a_line(manifest), data=manifest)


@task(
    name="make",
    task_run_name="{label}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=5,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=lambda _task, _run, state: _is_transient(state),
)
def make(key: str, shards: Sequence[str], label: str) -> int:  # noqa: ARG001 - the label names the task run
    """Make and commit some shards of the workshop `key`; gives how many items they accepted."""
    bench = _BENCHES[key]
    try:
        return sum(bench.make(shard) for shard in shards)
    except Transient as error:
        progress.tell("trouble", reason=str(error))
        raise


class _Bench:
    """A workshop in use by the task runs of one flow run, with what they have spent together."""

    def __init__(self, shop: Workshop, workers: int, budget: Budget) -> None:
        self.shop = shop
        self.shop.on_progress = self._hear
        self.shards = {shard.id: shard for shard in shop.plan.shards}
        self.budget = budget
        self.stopping = threading.Event()
        self._places = threading.Semaphore(workers)

    def make(self, shard_id: str) -> int:
        """Make one shard, unless the run is stopping."""
        with self._places:
            if self.stopping.is_set():
                raise InterruptedError("the run is stopping")
            shard = self.shards[shard_id]
            self.budget.check()
            progress.tell("making", shard=shard.id, kind=shard.kind, items=shard.items, fit=shard.fit is not None)
            try:
                record = make_shard(shard, self.shop)
            except BaseException:
                self.budget.drop(shard.id)
                raise
            self.budget.settle(shard.id, record.tokens)
            progress.shard_done(record)
            return record.accepted

    def _hear(self, shard: Shard, outcome: Outcome) -> None:
        progress.shard_progress(shard, outcome)
        self.budget.watch(shard.id, outcome.tokens)


_BENCHES: dict[str, _Bench] = {}


def _make_all(shop: Workshop, settings: Settings, max_tokens: int | None) -> None:
    """Make the shards that are not committed yet, stage by stage: fits, what needs them, children of data sets."""
    done = done_shards(shop.store, shop.plan.run_id)
    left = [shard for shard in shop.plan.shards if shard.id not in done]
    kinds, tokens = _settled(shop, done)
    progress.tell("shards", done=len(done), left=len(left), kinds=kinds)
    key = runtime.flow_run.id or shop.plan.run_id
    budget = Budget(max_tokens, spent=tokens)
    bench = _BENCHES[key] = _Bench(shop, settings.workers, budget)
    try:
        for stage in stages(shop.plan.shards):
            _drain(key, _task_runs(shop.plan, [s for s in stage if s.id not in done]), window=2 * settings.workers)
    except BaseException:
        bench.stopping.set()
        shop.engines.kill()
        raise
    finally:
        shop.engines.close()
        del _BENCHES[key]


def _settled(shop: Workshop, done: set[str]) -> tuple[dict[str, dict[str, int]], int]:
    """What earlier processes committed of this run, by kind, and the tokens it took."""
    tokens = 0
    kinds = {kind: {"accepted": 0, "shortfall": 0} for kind in shop.plan.items}
    for record, _ in commits_of(shop.store, shop.plan.run_id, sorted(done)):
        if record.kind in kinds:
            kinds[record.kind]["accepted"] += record.accepted
            kinds[record.kind]["shortfall"] += len(record.shortfall)
        tokens += record.tokens
    return kinds, tokens


def _task_runs(plan: Plan, shards: Sequence[Shard]) -> Iterable[tuple[list[str], str]]:
    """Shards in at most `MAX_TASK_RUNS` task runs, each with the name people see."""
    size = -(-len(plan.shards) // MAX_TASK_RUNS)
    for start in range(0, len(shards), size):
        chunk = shards[start : start + size]
        items = sum(shard.items for shard in chunk)
        what = "fit " + chunk[0].id[4:12] if chunk[0].fit else f"{items} {chunk[0].kind}"
        yield [shard.id for shard in chunk], f"{what} ({start + 1}–{start + len(chunk)} of {len(shards)})"


def _drain(key: str, runs: Iterable[tuple[list[str], str]], window: int) -> None:
    """Keep at most `window` task runs submitted; raise the first failure once it is known."""
    futures: deque[PrefectFuture[int]] = deque()
    for shards, label in runs:
        if len(futures) >= window:
            futures.popleft().result()
        futures.append(make.submit(key, shards, label))
    while futures:
        futures.popleft().result()


def _is_transient(state: State[Any]) -> bool:
    try:
        state.result(_sync=True)  # type: ignore[call-overload]
    except Transient:
        return True
    except BaseException:
        return False
    return False


def _dated(run_id: str | None) -> str | None:
    """`run_id` with `{date}` replaced by the day the run was scheduled for (UTC)."""
    if run_id is None or "{date}" not in run_id:
        return run_id
    scheduled = runtime.flow_run.scheduled_start_time or datetime.now(UTC)
    return run_id.replace("{date}", scheduled.astimezone(UTC).strftime("%Y-%m-%d"))
