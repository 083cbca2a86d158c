"""Cutting shards and freezing plans: jobs stay whole, what was made is pointed to, the first plan wins."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.batches import tiny_settings

from tasks.begin import begin, foresee
from tasks.desk import open_desk
from tasks.identity import sha256
from tasks.index import Index
from tasks.plan.draft import draw_up
from tasks.plan.freeze import PLAN, PlanConflict, freeze, load_plan, planned_jobs
from tasks.plan.model import Plan, PlannedJob
from tasks.settings import Settings
from tasks.store import Store, open_store

Rows = list[dict[str, Any]]


def copy(job_id: str, **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "kind": "copy", "channel": "social", "product_name": f"Mug {job_id}", **more}


def image(job_id: str, **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "kind": "image", "prompt": f"a mug {job_id}", **more}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def specs(tmp_path: Path) -> Callable[[Rows], str]:
    def write(rows: Rows) -> str:
        path = tmp_path / "specs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write


def frozen(store: Store, specs: str, run: str = "run", settings: Settings | None = None) -> Plan:
    with begin([specs], store, settings or tiny_settings(), run_id=run) as begun:
        return begun.plan


def jobs(store: Store, plan: Plan) -> dict[str, list[PlannedJob]]:
    root = Path(store.uri) / plan.run_id
    return {s.id: list(planned_jobs(root / plan.partitions[s.partition].key, s)) for s in plan.shards if s.fit is None}


def test_every_job_is_in_one_shard_with_all_its_items(store: Store, specs: Callable[[Rows], str]) -> None:
    rows = [copy(f"c{n}", variants=1 + n % 3) for n in range(30)] + [image(f"i{n}") for n in range(5)]
    plan = frozen(store, specs([*rows, copy("wide", variants=1000)]))
    found = jobs(store, plan)
    placed = [planned.job.job_id for members in found.values() for planned in members]
    assert sorted(placed) == sorted([row["job_id"] for row in rows] + ["wide"])
    for shard in plan.shards:
        members = found[shard.id]
        assert shard.items == sum(len(planned.items) for planned in members)
        assert shard.items <= 4 or len(members) == 1
        assert {planned.job.kind for planned in members} == {shard.kind}
        for planned in members:
            assert [item.variant for item in planned.items] == list(range(planned.job.variants))
    assert plan.items["copy"].requested == sum(row.get("variants", 1) for row in rows[:30]) + 1000
    assert len({shard.id for shard in plan.shards}) == len(plan.shards)


def test_images_of_one_shape_share_shards(store: Store, specs: Callable[[Rows], str]) -> None:
    rows = [image(f"i{n}", width=64 + 64 * (n % 2), height=64) for n in range(8)]
    plan = frozen(store, specs(rows))
    assert sorted(shard.items for shard in plan.shards) == [4, 4]
    assert len({tuple(shard.group) for shard in plan.shards}) == 2


def test_a_shuffled_file_gives_the_same_plan_to_the_byte(tmp_path: Path, specs: Callable[[Rows], str]) -> None:
    rows = [copy(f"c{n}", variants=2, meta_sku=n) for n in range(20)] + [image(f"i{n}") for n in range(5)]
    stores = [open_store(str(tmp_path / name)) for name in ("one", "two")]
    frozen(stores[0], specs(rows))
    random.Random(2).shuffle(rows)
    frozen(stores[1], specs(rows))
    assert stores[0].get(f"run/{PLAN}") == stores[1].get(f"run/{PLAN}")


def test_a_plan_that_stands_is_found_again_and_another_is_a_conflict(
    store: Store, specs: Callable[[Rows], str]
) -> None:
    path = specs([copy("a")])
    first = frozen(store, path)
    assert frozen(store, path, settings=tiny_settings(shard_items=1, workers=5)) == first
    with pytest.raises(PlanConflict, match="--run-id"):
        frozen(store, path, settings=tiny_settings(seed=1))
    with pytest.raises(PlanConflict):
        frozen(store, specs([copy("a", variants=2)]))


def test_of_two_that_plan_at_once_the_first_wins(
    store: Store, specs: Callable[[Rows], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one looked for a plan before the first one's stood."""
    path = specs([copy(f"c{n}") for n in range(6)])
    with open_desk(tiny_settings(shard_items=1)) as desk:
        draft = draw_up([path], desk, desk.scratch / "draft")
        first = frozen(store, path)
        answers = iter([None, first])
        monkeypatch.setattr("tasks.plan.freeze.load_plan", lambda *_: next(answers))
        assert freeze(draft, desk, store, "run", Index(store, desk.scratch)) == first
    monkeypatch.undo()
    assert load_plan(store, "run") == first
    assert len(first.shards) == 2


def test_foreseeing_a_plan_writes_nothing(store: Store, specs: Callable[[Rows], str], tmp_path: Path) -> None:
    plan, _ = foresee([specs([copy("a", variants=3)])], store, tiny_settings())
    assert plan.totals()["items"] == 3
    assert not (tmp_path / "store").exists()


def test_what_was_made_before_is_pointed_to(finished: Path, copied: Callable[[], Store]) -> None:
    """The plan of another run over the same specs: nothing is to be made but what was given up."""
    store = copied()
    specs = [str(finished.parent / "specs.parquet"), str(finished.parent / "more.csv")]
    with begin(specs, store, tiny_settings(), run_id="monday") as begun:
        plan = begun.plan
    counts = {kind: (count.requested, count.reused) for kind, count in plan.items.items()}
    assert counts == {"copy": (9, 8), "image": (2, 2), "records": (1, 1)}
    assert not any(shard.fit for shard in plan.shards), "a data set that stands needs no model"
    items = [item for members in jobs(store, plan).values() for planned in members for item in planned.items]
    reused = [item.reuse for item in items if item.reuse is not None]
    assert len(reused) == 8 + 2 + 1
    pointers = {reuse.part for reuse in reused if reuse.part} | {file.key for reuse in reused for file in reuse.files}
    assert all(store.head(key) for key in pointers)


def test_sources_are_written_down_with_their_digests(
    store: Store, specs: Callable[[Rows], str], tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{n},{n % 3}\n" for n in range(50)))
    plan = frozen(store, specs([{"job_id": "r", "kind": "records", "source": str(table)}, copy("a")]))
    (fit,) = [shard.fit for shard in plan.shards if shard.fit]
    assert (fit.source, fit.sha256) == (str(table), sha256(table.read_bytes()))
    found = {p.job.job_id: p.sources for members in jobs(store, plan).values() for p in members}
    assert found == {"r": {str(table): sha256(table.read_bytes())}, "a": {}}


def test_no_credentials_stand_in_a_plan(store: Store, specs: Callable[[Rows], str]) -> None:
    options = {"copy": {"api_key": "s3cret", "tone": "x"}}
    frozen(store, specs([copy("a")]), settings=tiny_settings(engine_options=options))
    data = store.get(f"run/{PLAN}")
    assert b"s3cret" not in data
    assert b"tone" in data
