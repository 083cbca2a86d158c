"""Merging index segments: nothing is lost, newer copies win, and a search stays short."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.compaction import MERGED, compact, merged_segments
from tasks.gc import collect
from tasks.index import Index, announce, known_runs
from tasks.segments import SEGMENT, SEGMENTS
from tasks.store import Store

ALL = range(256)
FAN_IN = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge three of a level: the same steps with fewer runs."""
    monkeypatch.setattr("tasks.compaction.FAN_IN", FAN_IN)


def key(number: int) -> str:
    return f"{number:064d}"


def finish_run(store: Store, run: str, numbers: range, scratch: Path) -> None:
    """What a finished run leaves in the index: here items whose bucket is their number."""
    rows = [
        {"bucket": number % 256, "key": key(number), "part": f"{run}/copy/part.parquet", "row": row, "files": []}
        for row, number in enumerate(numbers)
    ]
    path = scratch / "segment.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SEGMENT), path)
    announce(store, run)
    store.put(f"{SEGMENTS}{run}.parquet", path)
    compact(store, scratch)


def places(store: Store, tmp_path: Path) -> int:
    """How many segments a search for something new looks into."""
    index = Index(store, tmp_path)
    assert index.find({"f" * 64}, ALL) == {}
    return len(index._segments)


def test_a_search_stays_short_and_finds_everything(store: Store, tmp_path: Path) -> None:
    runs = FAN_IN**2 + 2
    for run in range(runs):
        finish_run(store, f"r{run:03d}", range(10 * run, 10 * run + 10), tmp_path)
    assert places(store, tmp_path) == 1 + 2
    assert max(merged.level for merged in merged_segments(store, known_runs(store))) == 2
    found = Index(store, tmp_path).find({key(number) for number in range(10 * runs)}, ALL)
    assert len(found) == 10 * runs
    for number in random.Random(0).sample(range(10 * runs), 20):
        reuse = found[key(number)]
        assert (reuse.part, reuse.row) == (f"r{number // 10:03d}/copy/part.parquet", number % 10)
    assert set(Index(store, tmp_path).find(set(found), range(5, 6))) == {k for k in found if int(k) % 256 == 5}


def test_the_newest_copy_of_an_item_is_the_one_that_is_found(store: Store, tmp_path: Path) -> None:
    for run in range(FAN_IN):
        finish_run(store, f"r{run}", range(run, 20), tmp_path)
    assert places(store, tmp_path) == 1
    found = Index(store, tmp_path).find({key(0), key(19)}, ALL)
    assert found[key(0)].part == "r0/copy/part.parquet"
    newest = {entry.key: entry.modified for entry in store.list(SEGMENTS)}
    assert newest[f"{SEGMENTS}{str(found[key(19)].part).partition('/')[0]}.parquet"] == max(newest.values())


def test_the_items_of_a_deleted_run_are_not_found_in_a_merged_segment(store: Store, tmp_path: Path) -> None:
    for run in range(FAN_IN):
        finish_run(store, f"r{run}", range(10 * run, 10 * run + 10), tmp_path)
    store.delete(["_index/runs/r2.json", f"{SEGMENTS}r2.parquet"])
    found = Index(store, tmp_path).find({key(number) for number in range(10 * FAN_IN)}, ALL)
    assert {int(k) for k in found} == set(range(10 * FAN_IN)) - set(range(20, 30))


def test_an_item_of_two_runs_is_found_when_one_of_them_is_deleted(store: Store, tmp_path: Path) -> None:
    for run in range(FAN_IN):
        finish_run(store, f"r{run}", range(5), tmp_path)
    held = Index(store, tmp_path).find({key(0)}, ALL)[key(0)].part
    assert held is not None
    newest = held.partition("/")[0]
    store.delete([f"_index/runs/{newest}.json", f"{SEGMENTS}{newest}.parquet"])
    again = Index(store, tmp_path).find({key(0)}, ALL)[key(0)].part
    assert again is not None
    assert not again.startswith(newest)
    compact(store, tmp_path)
    assert {entry.key for entry in store.list(MERGED)} >= set(collect(store, older_than=timedelta(0)))
    assert merged_segments(store, known_runs(store)) == []


def test_gc_removes_merged_segments_that_a_larger_one_replaced(store: Store, tmp_path: Path) -> None:
    for run in range(FAN_IN**2):
        finish_run(store, f"r{run:02d}", range(run, run + 1), tmp_path)
    assert len(merged_segments(store, known_runs(store))) == FAN_IN + 1
    assert collect(store) == []
    removed = collect(store, older_than=timedelta(0))
    assert len(removed) == 2 * FAN_IN
    (left,) = merged_segments(store, known_runs(store))
    assert len(left.runs) == FAN_IN**2
    assert sorted(entry.key for entry in store.list(MERGED)) == sorted([left.key, left.key[: -len("parquet")] + "json"])
    assert len(Index(store, tmp_path).find({key(number) for number in range(FAN_IN**2)}, ALL)) == FAN_IN**2
