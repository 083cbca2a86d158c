"""Each kind of damage to a run is found and named; a run without damage is clean."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasks.store import NotFound, Store, open_store
from tasks.verify import verify

RUN = "sunday"
Damage = Callable[[Store], None]


def first(store: Store, prefix: str) -> str:
    return next(entry.key for entry in store.list(f"{RUN}/{prefix}"))


def edit(store: Store, key: str, change: Callable[[Any], None]) -> None:
    value = json.loads(store.get(key))
    change(value)
    store.put(key, json.dumps(value).encode())


@pytest.mark.parametrize("in_memory", [32 << 20, 0])
def test_a_finished_run_is_clean(finished: Path, monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr("tasks.verify.IN_MEMORY", in_memory)
    found = verify(open_store(str(finished)), RUN)
    assert found.finished
    assert found.problems == []
    assert found.strays == []
    assert found.objects > 8
    assert found.bytes > 10_000
    assert found.rows == 60


def remove(prefix: str) -> Damage:
    return lambda store: store.delete([first(store, prefix)])


def spoil(prefix: str) -> Damage:
    def change(store: Store) -> None:
        key = first(store, prefix)
        data = store.get(key)
        store.put(key, data[:100] + bytes([data[100] ^ 1]) + data[101:])

    return change


def shorten(prefix: str) -> Damage:
    return lambda store: store.put(key := first(store, prefix), store.get(key)[:-10])


def fewer_rows(store: Store) -> None:
    """A part that was written again with a row less, and a commit that was made to fit but for its counts."""
    key = first(store, "copy/")
    table = pq.read_table(io.BytesIO(store.get(key)))
    out = io.BytesIO()
    pq.write_table(table.slice(1), out)
    store.put(key, out.getvalue())


def doubled_row(store: Store) -> None:
    import hashlib

    key = first(store, "copy/")
    table = pq.read_table(io.BytesIO(store.get(key)))
    out = io.BytesIO()
    pq.write_table(table.take([0, *range(table.num_rows - 1)]), out)
    store.put(key, out.getvalue())

    def change(record: dict[str, Any]) -> None:
        for made in record["objects"]:
            if f"{RUN}/{made['key']}" == key:
                made.update(sha256=hashlib.sha256(out.getvalue()).hexdigest(), size=len(out.getvalue()))

    for entry in list(store.list(f"{RUN}/_commits/copy-")):
        if key.removeprefix(f"{RUN}/").encode() in store.get(entry.key):
            edit(store, entry.key, change)


def change_manifest(change: Callable[[dict[str, Any]], None]) -> Damage:
    return lambda store: edit(store, f"{RUN}/manifest.json", change)


def change_commit(change: Callable[[dict[str, Any]], None]) -> Damage:
    return lambda store: edit(store, first(store, "_commits/copy-"), change)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a part is gone": (remove("copy/"), "is missing"),
    "a picture is gone": (remove("files/"), "is missing"),
    "a data set is gone": (remove("records/"), "is missing"),
    "a quality file is gone": (remove("quality/"), "is missing"),
    "a fitted model is gone": (remove("_models/"), "is missing"),
    "a partition of the plan is gone": (remove("_plan/part-"), "is missing"),
    "the quarantine table is gone": (remove("rejected/part-specs"), "is missing"),
    "a commit is gone": (remove("_commits/copy"), "is missing"),
    "a picture has other bytes": (spoil("files/"), "has other content than was committed"),
    "a part has other bytes": (spoil("images/"), "has other content than was committed"),
    "a part was cut off": (shorten("copy/"), "bytes instead of"),
    "a part has fewer rows": (fewer_rows, "instead of"),
    "a row stands twice": (doubled_row, "holds an item twice"),
    "a commit was edited": (change_commit(lambda c: c.update(seconds=0.5)), "is not the commit the manifest names"),
    "a commit is no JSON": (lambda s: s.put(first(s, "_commits/copy"), b"{"), "cannot be read"),
    "a commit counts more than it stores": (change_commit(lambda c: c.update(accepted=99)), "counts 99 accepted"),
    "a commit asks for another number": (change_commit(lambda c: c.update(requested=99)), "not of the shard"),
    "a commit is another run's": (change_commit(lambda c: c.update(run_id="monday")), "not of the shard"),
    "the plan was edited": (
        lambda s: edit(s, f"{RUN}/_plan/plan.json", lambda p: p.update(intent="x")),
        "not the plan",
    ),
    "the plan is no JSON": (lambda s: s.put(f"{RUN}/_plan/plan.json", b"[]"), "plan.json cannot be read"),
    "the manifest is no JSON": (lambda s: s.put(f"{RUN}/manifest.json", b"{"), "manifest.json cannot be read"),
    "the manifest lacks a commit": (change_manifest(lambda m: m["commits"].popitem()), "not those of the plan"),
    "the manifest does not add up": (change_manifest(lambda m: m["items"].update(shortfall=0)), "do not add up"),
    "the manifest counts other tokens": (change_manifest(lambda m: m.update(tokens=1)), "counts 1 tokens"),
    "the manifest counts other rows": (change_manifest(lambda m: m.update(rows=1)), "counts 1 rows"),
    "the manifest counts other candidates": (change_manifest(lambda m: m["candidates"].update(made=1)), "1 made"),
    "the manifest splits kinds otherwise": (
        change_manifest(lambda m: m["items"]["kinds"]["copy"].update(accepted=1)),
        "by kind",
    ),
}


@pytest.mark.parametrize("in_memory", [32 << 20, 0])
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(
    name: str, in_memory: int, copied: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.verify.IN_MEMORY", in_memory)
    damage, words = DAMAGES[name]
    store = copied()
    damage(store)
    problems = verify(store, RUN).problems
    assert any(words in problem for problem in problems), problems


def test_one_missing_commit_does_not_hide_the_rest(copied: Callable[[], Store]) -> None:
    store = copied()
    remove("_commits/copy")(store)
    remove("files/")(store)
    found = verify(store, RUN)
    assert sum("is missing" in problem for problem in found.problems) == 2


def test_strays_are_told_apart_from_damage(copied: Callable[[], Store]) -> None:
    store = copied()
    store.put(f"{RUN}/copy/part-left-over.parquet", b"x")
    store.put(f"{RUN}/report/index.html", b"again")
    found = verify(store, RUN)
    assert found.problems == []
    assert found.strays == [f"{RUN}/copy/part-left-over.parquet"]


def test_an_unfinished_run_is_checked_as_far_as_it_went(copied: Callable[[], Store]) -> None:
    store = copied()
    store.delete([f"{RUN}/manifest.json", first(store, "_commits/image")])
    found = verify(store, RUN)
    assert not found.finished
    assert found.problems == []
    assert any(key.startswith(f"{RUN}/files/") for key in found.strays)


def test_no_such_run(finished: Path) -> None:
    with pytest.raises(NotFound, match="pressrun runs"):
        verify(open_store(str(finished)), "monday")
