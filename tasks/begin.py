"""How a run begins: settings, store, specs, plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tasks.desk import LocalDesk, open_desk
from tasks.index import Index, announce
from tasks.manifest import batch_name, commits_of, load_manifest
from tasks.plan.draft import Draft, draw_up
from tasks.plan.freeze import cut, freeze, load_plan
from tasks.plan.model import Plan
from tasks.settings import Settings
from tasks.store import Store
from tasks.writer import Lease

RESERVED = ("latest", "_index", "_probe")


@dataclass(slots=True)
class Begun:
    """A run that has a plan."""

    plan: Plan
    desk: LocalDesk
    resumed: bool
    aside: list[str]
    """What is wrong with the first of the rows that were set aside."""
    check_lease: Callable[[], None] | None = None
    """Raises when this process may no longer write to the run; None where nobody has to ask."""


@contextmanager
def begin(
    specs: Sequence[str],
    store: Store,
    settings: Settings,
    *,
    run_id: str | None = None,
    limit: int | None = None,
    strict: bool = False,
    retry_shortfall: bool = False,
    atomic_create: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Begun]:
    """Read the specs and freeze the plan of the run, or find the one that was frozen before.

    Where the store has no `atomic_create`, the run is this process's alone until the end of the block.
    Raises `tasks.specs.SpecError`, `tasks.plan.freeze.PlanConflict`, `StoreError`, `ValueError` for a bad run id, and
    `tasks.writer.OneWriterOnly`.
    """
    if run_id is not None:
        check_run_id(run_id)
    with open_desk(settings) as desk:
        draft = draw_up(specs, desk, desk.scratch / "draft", limit=limit, strict=strict, progress=progress)
        run = run_id or default_run_id(draft)
        attempts: dict[str, int] = {}
        retry_of = None
        if retry_shortfall:
            run, retry_of, attempts = continuation(store, run)
        with nullcontext() if atomic_create else Lease(store, run).held() as lease:
            resumed = load_plan(store, run) is not None
            announce(store, run)  # first: what a killed planning leaves is then found and removed
            index = Index(store, desk.scratch)
            plan = freeze(draft, desk, store, run, index, first_attempts=attempts, retry_of=retry_of)
            yield Begun(plan, desk, resumed, draft.aside, lease.check if lease else None)


def foresee(specs: Sequence[str], store: Store, settings: Settings, *, limit: int | None = None) -> tuple[Plan, Draft]:
    """The plan that a run would freeze, without writing anything to the store."""
    with open_desk(settings) as desk:
        draft = draw_up(specs, desk, desk.scratch / "draft", limit=limit)
        return cut(draft, desk, Index(store, desk.scratch), default_run_id(draft), {}), draft


def default_run_id(draft: Draft) -> str:
    """The same content and settings give the same run id, so the same command twice makes nothing twice."""
    return f"run-{draft.intent[:16]}"


def check_run_id(run: str) -> str:
    """`run` if it can name a folder in the store. Raises `ValueError`."""
    if run in RESERVED or run.startswith("_"):
        raise ValueError(f"run id {run!r} is kept for the store's own use; choose another")
    return batch_name(run)


def continuation(store: Store, base: str) -> tuple[str, str | None, dict[str, int]]:
    """The run that tries again what `base` and its earlier retries gave up: its id, what it continues, attempts made.

    Without any shortfall to try again it is `base` itself.
    """
    run, attempts, retry_of, number = base, {}, None, 0
    while (manifest := load_manifest(store, run)) is not None and manifest["items"]["shortfall"]:
        plan = load_plan(store, run)
        assert plan is not None
        for record, _ in commits_of(store, run, [shard.id for shard in plan.shards]):
            attempts.update({short.content_key: short.attempts for short in record.shortfall})
        number += 1
        retry_of, run = run, f"{base}-retry{number}"
    return run, retry_of, attempts


def spec_names(specs: Sequence[str]) -> str:
    """Spec files as people call them."""
    names = [Path(spec).stem for spec in specs]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
