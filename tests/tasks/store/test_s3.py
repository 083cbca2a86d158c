"""What is particular to S3: credentials, buckets, large objects, paging, and servers that differ."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from support.s3_servers import S3

from tasks.store import AccessDenied, NoSuchBucket, S3Options, StoreError, Transient, open_store
from tasks.store import s3 as s3_module
from tasks.store.s3_client import md5

FIVE_MB = 5 * 2**20
SMALL_PARTS = S3Options(part_bytes=FIVE_MB)
SECRET = "a-wrong-secret-that-nobody-should-read"


def every_use(uri: str) -> list:
    store = open_store(uri)
    return [
        lambda: store.get("a"),
        lambda: store.head("a"),
        lambda: store.put("a", b""),
        lambda: store.create("a", b""),
        lambda: store.copy("a", "b"),
        lambda: list(store.list()),
        lambda: store.delete(["a"]),
        store.probe,
        lambda: store.sweep(timedelta(0)),
    ]


def test_a_wrong_secret_is_denied_and_never_told(each_s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = each_s3.bucket()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for use in every_use(uri):
        with pytest.raises(AccessDenied, match=r"secret|denied") as caught:
            use()
        assert SECRET not in repr(caught.value) + repr(caught.value.__cause__)
        assert uri in str(caught.value)


def test_a_bucket_that_is_not_there(each_s3: S3) -> None:
    for use in every_use("s3://pressrun-no-such-bucket/x"):
        with pytest.raises(NoSuchBucket, match="s3://pressrun-no-such-bucket does not exist"):
            use()


def test_missing_credentials(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccessDenied, match="AWS_SECRET_ACCESS_KEY"):
        open_store("s3://bucket")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AccessDenied, match="No S3 credentials for s3://bucket"):
        open_store("s3://bucket")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AccessDenied, match="nobody"):
        open_store("s3://bucket")


def test_a_server_that_is_not_there(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Transient, match="cannot be reached"):
        open_store("s3://bucket", options=S3Options(attempts=1)).get("a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9")
    with pytest.raises(StoreError, match="AWS_ENDPOINT_URL"):
        open_store("s3://bucket")


def test_probe_tells_servers_apart(each_s3: S3) -> None:
    probe = open_store(each_s3.bucket()).probe()
    if each_s3.server.atomic_create is not None:
        assert probe.atomic_create == each_s3.server.atomic_create, probe.detail


def test_one_writer_alone_is_served_right_everywhere(each_s3: S3) -> None:
    store = open_store(f"{each_s3.bucket()}/deep/root")
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    store.put("b", b"x" * 100)
    store.copy("b", "c")
    assert [(e.key, e.size) for e in store.list()] == [("a", 5), ("b", 100), ("c", 100)]
    assert store.get_range("c", 90, 100) == b"x" * 10
    assert store.get_range("c", 100, 1) == b""
    store.delete(["a", "b", "nothing"])
    assert [e.key for e in store.list()] == ["c"]


def test_the_environment_reaches_child_processes(s3: S3) -> None:
    uri = s3.bucket()
    code = f"from tasks.store import open_store; print(open_store({uri!r}).create('a', b'child'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    assert open_store(uri).get("a") == b"child"


def test_large_files_travel_in_parts(each_s3: S3, tmp_path: Path) -> None:
    store = open_store(each_s3.bucket(), options=SMALL_PARTS)
    data = random.Random(3).randbytes(20_000_001)
    (tmp_path / "big").write_bytes(data)
    store.put("big", tmp_path / "big")
    store.download("big", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data
    assert store.get("big") == data
    assert store.sweep(timedelta(0)) == []


def test_large_copies_travel_in_parts(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "COPY_LIMIT", FIVE_MB)
    store = open_store(s3.bucket())
    data = random.Random(4).randbytes(2 * FIVE_MB + 1)
    store.put("a", data)
    store.copy("a", "b")
    assert store.get("b") == data
    etag = s3.server.client().head_object(Bucket=store.uri.split("/")[2], Key="b")["ETag"]
    assert etag.endswith('-3"')


def test_an_interrupted_upload_is_swept(s3: S3) -> None:
    uri = s3.bucket()
    bucket = uri.removeprefix("s3://")
    s3.server.client().create_multipart_upload(Bucket=bucket, Key="below/left")
    s3.server.client().create_multipart_upload(Bucket=bucket, Key="elsewhere/left")
    store = open_store(f"{uri}/below")
    assert store.sweep(timedelta(days=1)) == []
    assert len(store.sweep(timedelta(seconds=-60), dry_run=True)) == 1
    assert len(store.sweep(timedelta(seconds=-60))) == 1
    assert store.sweep(timedelta(seconds=-60)) == []
    assert len(open_store(uri).sweep(timedelta(seconds=-60), dry_run=True)) == 1


def test_a_failed_upload_is_aborted(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3.bucket(), options=SMALL_PARTS)
    (tmp_path / "big").write_bytes(b"x" * (FIVE_MB + 1))
    monkeypatch.setattr("tasks.store.s3_parts.md5", lambda data: md5(b"something else"))
    with pytest.raises(StoreError):
        store.put("big", tmp_path / "big")
    assert store.sweep(timedelta(seconds=-60), dry_run=True) == []
    assert store.head("big") is None


def test_damaged_bytes_are_refused_by_the_server(each_s3: S3) -> None:
    bucket = each_s3.server.bucket()
    with pytest.raises(ClientError, match=r"BadDigest|InvalidDigest"):
        each_s3.server.client().put_object(Bucket=bucket, Key="a", Body=b"right", ContentMD5=md5(b"wrong"))


def test_lists_and_deletes_go_on_past_a_page(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "DELETE_BATCH", 50)
    store = open_store(s3.bucket(), options=S3Options(page_size=7))
    names = [f"p/{n:04}" for n in range(120)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.put(name, b""), names))
    assert [e.key for e in store.list("p/00")] == names[:100]
    whole = open_store(store.uri)
    assert [e.key for e in whole.list()] == names
    store.delete(names)
    assert list(store.list()) == []


def test_what_others_left_in_the_bucket_is_passed_over(s3: S3) -> None:
    uri = s3.bucket()
    for key in ("x/folder/", "x/a//b", "x/good", "xx/other"):
        s3.server.client().put_object(Bucket=uri.removeprefix("s3://"), Key=key, Body=b"")
    assert [e.key for e in open_store(f"{uri}/x").list()] == ["good"]


def test_stores_share_one_client_per_environment(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = open_store("s3://bucket-a"), open_store("s3://bucket-b")
    assert first.client is second.client  # type: ignore[attr-defined]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    assert open_store("s3://bucket-a").client is not first.client  # type: ignore[attr-defined]


def test_creates_from_many_stores_have_one_winner(s3: S3) -> None:
    uri = s3.bucket()
    if not open_store(uri).probe().atomic_create:
        pytest.skip("this store says that its create is not atomic")
    barrier = threading.Barrier(24)

    def enter(number: int) -> bool:
        store = open_store(uri, options=S3Options(read_timeout=30 + number % 4))  # four clients
        barrier.wait()
        return store.create("one", b"the same bytes")

    with ThreadPoolExecutor(24) as pool:
        assert sum(pool.map(enter, range(24))) == 1
