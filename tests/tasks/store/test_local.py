"""What is particular to a folder as a store."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.store import AccessDenied, StoreError, open_store

NOBODY = 65_534


def test_boto3_is_not_imported_for_a_folder() -> None:
    code = "import sys, tasks.store, tasks.store.source; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_file_uris_and_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store("out").uri == open_store(f"file://{tmp_path}/out").uri == str(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(StoreError, match="is a file, not a folder"):
        open_store(str(tmp_path / "x"))


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    store = open_store(str(tmp_path / "store"))
    store.put("a", b"")
    (tmp_path / "store" / "folder").symlink_to(outside)
    (tmp_path / "store" / "file").symlink_to(outside / "secret")
    for key in ("folder/secret", "file"):
        for use in (store.get, store.head, lambda k: store.put(k, b""), lambda k: store.delete([k])):
            with pytest.raises(AccessDenied, match="symbolic link"):
                use(key)
    assert [entry.key for entry in store.list()] == ["a"]
    assert [entry.key for entry in store.list("folder/")] == []
    assert (outside / "secret").read_text() == "secret"


def test_a_root_behind_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    open_store(str(tmp_path / "link")).put("a", b"x")
    assert (tmp_path / "real" / "a").read_bytes() == b"x"


def test_half_written_files_are_hidden_and_swept(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a/b", b"")
    left = tmp_path / "a" / ".tmp-left"
    left.write_bytes(b"half")
    assert [entry.key for entry in store.list()] == ["a/b"]
    assert store.sweep(timedelta(days=1)) == []
    time.sleep(0.02)
    assert store.sweep(timedelta(0), dry_run=True) == [str(left)]
    assert left.exists()
    assert store.sweep(timedelta(0)) == [str(left)]
    assert not left.exists()
    assert store.get("a/b") == b""


def test_writes_leave_nothing_behind_and_respect_the_umask(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a", b"x")
    store.create("b", b"x")
    assert not store.create("b", b"y")
    store.copy("a", "c")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"]
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_delete_takes_empty_folders_along_but_not_the_root(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.put("a/b/c", b"")
    store.put("a/d", b"")
    store.delete(["a/b/c"])
    assert sorted(p.name for p in (tmp_path / "store" / "a").iterdir()) == ["d"]
    store.delete(["a/d"])
    assert list((tmp_path / "store").iterdir()) == []


def test_writers_and_deleters_in_one_folder(tmp_path: Path) -> None:
    """A folder that a delete removes while a put is about to use it is made again."""
    store = open_store(str(tmp_path))
    stop = threading.Event()

    def churn(number: int) -> None:
        while not stop.is_set():
            store.put(f"deep/er/{number}", b"x")
            store.delete([f"deep/er/{number}"])

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(churn, number) for number in range(4)]
        time.sleep(1)
        stop.set()
        for future in running:
            future.result()
    assert list(store.list()) == []


def test_a_kill_leaves_whole_objects(tmp_path: Path) -> None:
    code = """
import itertools, sys
from tasks.store import open_store
store = open_store(sys.argv[1])
for n in itertools.count():
    store.put("replaced", bytes([n % 256]) * 200_000)
    store.create(f"created/{n % 50}", bytes([n % 256]) * 200_000)
    store.delete([f"created/{(n + 25) % 50}"])
"""
    store = open_store(str(tmp_path))
    for delay in (0.05, 0.11, 0.17):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
        while store.head("created/0") is None and child.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        child.kill()
        child.wait()
        found = list(store.list())
        assert len(found) > 1
        for entry in found:
            data = store.get(entry.key)
            assert len(data) == 200_000
            assert len(set(data)) == 1
    store.sweep(timedelta(0))
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {e.key.rpartition("/")[2] for e in store.list()}


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a/b", b"")
    store.put("c", b"")
    with pytest.raises(StoreError, match="share one name"):
        store.put("a", b"")
    with pytest.raises(StoreError, match="share one name"):
        store.put("c/d", b"")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may write anywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_without_permission() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder, "closed")
        closed.mkdir()
        Path(folder).chmod(0o755)
        closed.chmod(0o555)
        with as_nobody():
            assert list(open_store(str(closed)).list()) == []
            with pytest.raises(AccessDenied, match="No permission"):
                open_store(str(closed)).put("a", b"")


def test_no_hard_links_means_not_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = open_store(str(tmp_path))
    assert not store.probe().atomic_create
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    store.copy("a", "b")
    assert store.get("b") == b"first"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
