"""What stands beside the shards of a run: commits, index, manifest, forecast, the list of runs, and what gc removes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.batches import run_batch, tiny_settings

from tasks import identity
from tasks.begin import begin, check_run_id
from tasks.commit import Commit, commit, commit_key, done_shards, load_commit
from tasks.forecast import forecast
from tasks.gc import collect
from tasks.index import SEGMENTS, Index, known_runs, write_segment
from tasks.manifest import Unfinished, commits_of, finish, load_manifest
from tasks.plan.freeze import load_plan
from tasks.plan.model import Plan
from tasks.runs import runs
from tasks.store import Store, open_store
from tasks.verify import verify

RUN = "sunday"


@pytest.fixture
def store(finished: Path) -> Store:
    return open_store(str(finished))


def plan_of(store: Store) -> Plan:
    plan = load_plan(store, RUN)
    assert plan is not None
    return plan


# Commits


def test_the_first_commit_wins_and_the_second_adopts_it(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    first = Commit(run_id="r", shard="copy-1", kind="copy", accepted=1, seconds=1.0)
    assert commit(store, first) == first
    assert commit(store, first.model_copy(update={"seconds": 2.0})) == first
    assert load_commit(store, "r", "copy-1") == first
    assert load_commit(store, "r", "copy-2") is None
    assert done_shards(store, "r") == {"copy-1"}


# The index


def test_an_index_rebuilt_from_commits_is_the_published_one(store: Store, tmp_path: Path) -> None:
    write_segment(store, RUN, [shard.id for shard in plan_of(store).shards], tmp_path / "rebuilt")
    assert (tmp_path / "rebuilt").read_bytes() == store.get(f"{SEGMENTS}{RUN}.parquet")


@pytest.mark.parametrize("published", [True, False])
def test_items_are_found_in_their_buckets(copied: Callable[[], Store], tmp_path: Path, published: bool) -> None:
    store = copied()
    rows = pq.read_table(Path(store.uri) / RUN / "copy").to_pylist()
    if not published:
        store.delete([f"{SEGMENTS}{RUN}.parquet"])
    index = Index(store, tmp_path)
    for row in rows:
        place = identity.bucket(row["job_id"])
        found = index.find({row["content_key"], "0" * 64}, range(place, place + 1))
        assert set(found) == {row["content_key"]}
        reuse = found[row["content_key"]]
        assert reuse.part is not None
        stored = pq.read_table(Path(store.uri) / reuse.part).to_pylist()[reuse.row]
        assert stored["content_key"] == row["content_key"]
        assert index.find({row["content_key"]}, range(place)) == {}
        assert index.find({row["content_key"]}, range(place + 1, 256)) == {}
    assert index.find(set(), range(256)) == {}


# The manifest


def test_counts_agree_with_the_tables(store: Store, finished: Path) -> None:
    manifest = load_manifest(store, RUN)
    assert manifest is not None
    run = finished / RUN
    tables = {kind: pq.read_table(run / kind).num_rows for kind in ("copy", "images")}
    items = manifest["items"]
    assert items["kinds"]["copy"]["accepted"] == tables["copy"] == 8
    assert items["kinds"]["image"]["accepted"] == tables["images"] == 2
    assert items["kinds"]["records"]["accepted"] == len(list((run / "records").rglob("*.parquet"))) == 1
    assert items["requested"] == items["accepted"] + items["shortfall"] == 12
    assert manifest["rows"] == sum(pq.read_metadata(p).num_rows for p in (run / "records").rglob("*.parquet"))
    rejected = pq.read_table(run / "rejected").to_pylist()
    refused = {(row["job_id"], row["variant"], row["attempt"]) for row in rejected if row["stage"] != "spec"}
    assert manifest["candidates"]["rejected"] == len(refused)
    assert manifest["candidates"]["made"] == len(refused) + items["accepted"]
    assert manifest["specs"] == {"rows": 9, "valid": 8, "quarantined": 1}
    assert len([row for row in rejected if row["stage"] == "spec"]) == 1
    assert manifest["tokens"] > sum(pq.read_table(run / "copy")["tokens"].to_pylist())
    assert manifest["status"] == "shortfall"


def test_a_manifest_says_what_the_contract_lists(store: Store) -> None:
    manifest = load_manifest(store, RUN)
    assert manifest is not None
    assert {
        "run_id", "status", "specs", "items", "candidates", "rows", "commits", "digests", "versions", "numerics",
        "tokens", "seconds", "started", "finished",
    } <= set(manifest)  # fmt: skip
    assert set(manifest["digests"]) == {"specs", "plan", "models", "rules", "configuration"}
    assert manifest["started"] <= manifest["finished"]
    for record, sha256 in commits_of(store, RUN, [shard.id for shard in plan_of(store).shards]):
        assert manifest["commits"][record.shard] == sha256 == identity.sha256(store.get(commit_key(RUN, record.shard)))


def test_no_manifest_while_a_shard_is_open(copied: Callable[[], Store]) -> None:
    store = copied()
    plan = plan_of(store)
    store.delete([f"{RUN}/manifest.json", commit_key(RUN, plan.shards[0].id)])
    with pytest.raises(Unfinished, match=plan.shards[0].id):
        finish(store, plan)
    assert load_manifest(store, RUN) is None


def test_finishing_twice_gives_the_manifest_that_stands(copied: Callable[[], Store]) -> None:
    store = copied()
    assert finish(store, plan_of(store)) == load_manifest(store, RUN)


def test_a_batchs_pointer_names_the_run_that_finished_last(copied: Callable[[], Store]) -> None:
    store = copied()

    def pointed() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(store.get("latest/nightly.json"))
        return found

    manifest = finish(store, plan_of(store), name="nightly")
    assert pointed() == {"run_id": RUN, "manifest": f"{RUN}/manifest.json", "finished": manifest["finished"]}
    later = {"run_id": "monday", "manifest": "monday/manifest.json", "finished": "9999-01-01T00:00:00+00:00"}
    store.put("latest/nightly.json", json.dumps(later).encode())
    finish(store, plan_of(store), name="nightly")
    assert pointed()["run_id"] == "monday"
    store.put("latest/nightly.json", b"damaged")
    finish(store, plan_of(store), name="nightly")
    assert pointed()["run_id"] == RUN
    with pytest.raises(ValueError, match="cannot name"):
        finish(store, plan_of(store), name="../nightly")


@pytest.mark.parametrize("name", ["latest", "_index", "_x", "a/b", "..", ".x", "", "a" * 129, "ü", "a b"])
def test_names_that_cannot_be_a_run(name: str) -> None:
    with pytest.raises(ValueError, match=r"run id|name a run"):
        check_run_id(name)


# Runs and forecasts


def test_runs_finished_and_not(copied: Callable[[], Store]) -> None:
    store = copied()
    (one,) = runs(store)
    assert (one.run_id, one.status, one.requested, one.accepted, one.shards_done) == (
        RUN,
        "shortfall",
        12,
        11,
        one.shards,
    )
    store.delete([f"{RUN}/manifest.json", commit_key(RUN, plan_of(store).shards[0].id)])
    (one,) = runs(store)
    assert (one.status, one.accepted, one.shards_done) == ("unfinished", None, one.shards - 1)


def test_a_forecast_goes_by_what_was_made(store: Store, tmp_path: Path) -> None:
    plan = plan_of(store)
    seconds = forecast(store, plan)
    assert set(seconds) == {"copy", "image", "records"}
    assert all(value is not None and value > 0 for value in seconds.values())
    assert forecast(open_store(str(tmp_path / "new")), plan) == dict.fromkeys(seconds)


# Garbage


def test_gc_removes_what_nothing_refers_to_and_nothing_else(copied: Callable[[], Store]) -> None:
    store = copied()
    kept = {entry.key for entry in store.list()}
    foreign = {
        "notes.txt",
        "latest/nightly.json",
        f"{RUN}/report/index.html",
        f"{RUN}/my notes.txt",
        "other/copy/a.parquet",
    }
    left = {f"{RUN}/copy/part-x.parquet", f"{RUN}/files/a/0-1.png", f"{RUN}/_plan/part-9999.parquet"}
    for key in foreign | left:
        store.put(key, b"x")
    assert set(collect(store, older_than=timedelta(0), dry_run=True)) == left
    assert {entry.key for entry in store.list()} == kept | foreign | left
    assert collect(store) == [], "they are younger than a day"
    assert set(collect(store, older_than=timedelta(0))) == left
    assert {entry.key for entry in store.list()} == kept | foreign
    assert verify(store, RUN).problems == []


def test_gc_keeps_what_an_unfinished_run_committed(copied: Callable[[], Store]) -> None:
    store = copied()
    open_shard = next(shard.id for shard in plan_of(store).shards if shard.kind == "image")
    record = load_commit(store, RUN, open_shard)
    assert record is not None
    store.delete([f"{RUN}/manifest.json", commit_key(RUN, open_shard)])
    gone = collect(store, older_than=timedelta(0))
    assert set(gone) == {f"{RUN}/{made.key}" for made in record.objects}
    assert verify(store, RUN).problems == []


def test_gc_spares_the_commits_of_a_run_whose_plan_was_lost(copied: Callable[[], Store]) -> None:
    store = copied()
    plan = plan_of(store)
    store.delete([f"{RUN}/_plan/plan.json"])
    gone = collect(store, older_than=timedelta(0))
    assert set(gone) == {f"{RUN}/{stored.key}" for stored in [*plan.partitions.values(), *plan.quarantined]}


def test_gc_spares_what_is_written_anew_while_it_looks(
    copied: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = copied()
    key = f"{RUN}/copy/part-x.parquet"
    store.put(key, b"x")
    monkeypatch.setattr("tasks.gc._still_old", lambda *_: False)
    assert collect(store, older_than=timedelta(0)) == []
    assert store.head(key)


def test_gc_clears_up_after_a_planning_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = tmp_path / "specs.jsonl"
    specs.write_text('{"job_id": "a", "kind": "copy", "prompt": "a line"}\n')
    store = open_store(str(tmp_path / "store"))
    real = type(store).create

    def killed(self: Any, key: str, data: bytes) -> bool:
        if key.endswith("plan.json"):
            raise KeyboardInterrupt
        return real(self, key, data)

    monkeypatch.setattr(type(store), "create", killed)
    with pytest.raises(KeyboardInterrupt), begin([str(specs)], store, tiny_settings(), run_id="r"):
        pass
    monkeypatch.undo()
    assert known_runs(store) == ["r"]
    assert list(runs(store)) == []
    assert len(collect(store, older_than=timedelta(0))) == 1
    manifest, _ = run_batch([str(specs)], store.uri, tiny_settings(), run_id="r")
    assert manifest["items"]["accepted"] == 1
    assert verify(store, "r").problems == []
