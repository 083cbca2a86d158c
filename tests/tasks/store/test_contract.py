"""What every store promises, on disk and on S3."""

from __future__ import annotations

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tasks.store import NotFound, S3Options, Store, StoreError, open_store

BAD_KEYS = ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", "a\nb", "a\0b", "\x7f", ".tmp-x/y", "\ud800"]
BAD_KEYS += ["é" * 500, "n" * 300]


def keys(store: Store, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.list(prefix)]


def test_what_is_put_is_got(store: Store) -> None:
    for data in (b"", b"\0" * 10, "späte Grüße".encode()):
        store.put("a/b c+%20ü.txt", data)
        assert store.get("a/b c+%20ü.txt") == data
    assert store.join("a/b") == f"{store.uri}/a/b"


def test_missing_objects_are_not_found(store: Store, tmp_path: Path) -> None:
    assert store.head("nothing/here") is None
    assert keys(store) == []
    for read in (
        lambda: store.get("nothing/here"),
        lambda: store.get_range("nothing/here", 0, 1),
        lambda: store.download("nothing/here", tmp_path / "x"),
        lambda: store.copy("nothing/here", "there"),
    ):
        with pytest.raises(NotFound, match="nothing/here does not exist"):
            read()
    assert not (tmp_path / "x").exists()
    assert store.head("there") is None


def test_head_tells_size_and_time(store: Store) -> None:
    store.put("a", b"12345")
    entry = store.head("a")
    assert entry is not None
    assert (entry.key, entry.size) == ("a", 5)
    assert abs(entry.modified - datetime.now(UTC)) < timedelta(minutes=5)
    assert next(iter(store.list())).size == 5


def test_range_reads_like_a_file(store: Store) -> None:
    store.put("a", b"0123456789")
    store.put("empty", b"")
    assert store.get_range("a", 3, 4) == b"3456"
    assert store.get_range("a", 8, 100) == b"89"
    assert store.get_range("a", 0, 0) == store.get_range("a", 10, 5) == store.get_range("a", 99, 5) == b""
    assert store.get_range("empty", 0, 5) == b""
    with pytest.raises(ValueError, match="at or after 0"):
        store.get_range("a", -1, 5)


def test_download_replaces_the_file_as_a_whole(store: Store, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(300_000)
    store.put("a", data)
    target = tmp_path / "new" / "folder" / "x"
    for _ in range(2):
        store.download("a", target)
        assert target.read_bytes() == data
    assert [p.name for p in target.parent.iterdir()] == ["x"]


def test_put_takes_a_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"from a file")
    store.put("a", tmp_path / "x")
    assert store.get("a") == b"from a file"
    with pytest.raises(NotFound):
        store.put("b", tmp_path / "missing")
    assert keys(store) == ["a"]


def test_create_leaves_alone_what_stands(store: Store) -> None:
    assert store.create("a/b", b"first")
    assert not store.create("a/b", b"second")
    assert not store.create("a/b", b"first")
    assert store.get("a/b") == b"first"
    store.delete(["a/b"])
    assert store.create("a/b", b"third")


def test_create_race_has_one_winner(store: Store) -> None:
    if not store.probe().atomic_create:
        pytest.skip("this store says that its create is not atomic")
    for lap in range(5):
        barrier = threading.Barrier(24)

        def enter(number: int, lap: int = lap, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return store.create(f"race/{lap}", b"%d" % number)

        with ThreadPoolExecutor(24) as pool:
            winners = [number for number, won in enumerate(pool.map(enter, range(24))) if won]
        assert len(winners) == 1
        assert store.get(f"race/{lap}") == b"%d" % winners[0]


def test_readers_see_whole_objects_while_it_is_replaced(store: Store) -> None:
    versions = [bytes([n]) * 50_000 for n in range(6)]
    store.put("a", versions[0])
    stop = threading.Event()

    def write() -> None:
        for version in versions * 5:
            store.put("a", version)
        stop.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not stop.is_set() and not writing.done():
            assert store.get("a") in versions
        writing.result()


def test_copy_is_an_object_of_its_own(store: Store) -> None:
    store.put("a", b"one")
    store.put("c/d", b"replaced")
    store.copy("a", "c/d")
    store.copy("a", "a")
    store.put("a", b"two")
    assert (store.get("a"), store.get("c/d")) == (b"two", b"one")


def test_a_copy_is_new_where_it_stands(store: Store) -> None:
    """gc spares what is younger than a day: a fresh copy of an old object must count as young."""
    store.put("a", b"one")
    if not store.uri.startswith("s3://"):
        os.utime(store.join("a"), (0, 0))
    store.copy("a", "b")
    entry = store.head("b")
    assert entry is not None
    assert entry.modified > datetime.now(UTC) - timedelta(minutes=5)


def test_list_comes_sorted_by_key(store: Store) -> None:
    names = ["a", "a-b", "a.b/c", "a0", "b/a/z", "b/a-a", "b/b", "bb", "Z", "é/x", "中", "b/a/y/x"]
    random.Random(2).shuffle(names)
    for name in names:
        if name != "a":
            store.put(name, b"")
    names.remove("a")
    assert keys(store) == sorted(names)
    assert keys(store, "b/") == sorted(n for n in names if n.startswith("b/"))
    assert keys(store, "b") == sorted(n for n in names if n.startswith("b"))
    assert keys(store, "b/a") == ["b/a-a", "b/a/y/x", "b/a/z"]
    assert keys(store, "nothing/") == []
    for bad in ("../", "/", "a//", "\n"):
        with pytest.raises(StoreError, match="cannot begin a key"):
            list(store.list(bad))


def test_folders_are_not_objects(store: Store, tmp_path: Path) -> None:
    store.put("a/b", b"x")
    store.put("c", b"x")
    for key in ("a", "c/d", "c/d/e"):
        assert store.head(key) is None
        store.delete([key])
        for read in (
            partial(store.get, key),
            partial(store.get_range, key, 0, 1),
            partial(store.download, key, tmp_path / "x"),
            partial(store.copy, key, "y"),
        ):
            with pytest.raises(NotFound):
                read()
    assert keys(store) == ["a/b", "c"]


def test_delete_removes_and_tolerates(store: Store) -> None:
    for name in ("a/b/c", "a/d", "e"):
        store.put(name, b"x")
    store.delete(["a/b/c", "never/there", "e"])
    assert keys(store) == ["a/d"]
    store.delete(iter(["a/d"]))
    store.delete([])
    assert keys(store) == []


def test_bad_keys_are_refused_everywhere(store: Store, tmp_path: Path) -> None:
    store.put("b", b"")
    for key in BAD_KEYS:
        for use in (
            partial(store.get, key),
            partial(store.get_range, key, 0, 1),
            partial(store.download, key, tmp_path / "x"),
            partial(store.put, key, b""),
            partial(store.create, key, b""),
            partial(store.copy, key, "b"),
            partial(store.copy, "b", key),
            partial(store.head, key),
            partial(store.delete, [key]),
            partial(store.join, key),
        ):
            with pytest.raises(StoreError, match="is no key for a store"):
                use()
    assert keys(store) == ["b"]


def test_probe_cleans_up(store: Store) -> None:
    store.put("a", b"")
    assert store.probe().detail
    assert keys(store) == ["a"]


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> bytes:
        store.put(f"t/{number}", b"%d" % number)
        return store.get(f"t/{number}")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(64))) == [b"%d" % n for n in range(64)]
    assert len(keys(store, "t/")) == 64


def test_uris_that_name_no_store() -> None:
    for uri, word in [
        ("s3://", "names no bucket"),
        ("gs://bucket/x", "gs:// is not supported"),
        ("file://host/x", "another machine"),
        ("", "No store was named"),
        ("s3://bucket/../x", "no key"),
    ]:
        with pytest.raises(StoreError, match=word):
            open_store(uri, options=S3Options())
