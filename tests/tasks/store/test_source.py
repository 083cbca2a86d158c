"""Inputs by path and by URI, and which of them may be read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.s3_servers import S3

from tasks.store import AccessDenied, NotFound, StoreError, open_store
from tasks.store.source import check_allowed, digest, exists, fetch


def test_a_path_is_returned_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert fetch(str(tmp_path / "x"), tmp_path / "scratch") == tmp_path / "x"
    assert fetch(f"file://{tmp_path}/x", tmp_path / "scratch") == tmp_path / "x"
    assert exists(str(tmp_path / "x"))
    assert not exists(str(tmp_path / "y"))
    with pytest.raises(NotFound, match="does not exist"):
        fetch(str(tmp_path / "y"), tmp_path)
    assert digest(tmp_path / "x") == hashlib.sha256(b"abc").hexdigest()


def test_an_object_is_downloaded(s3: S3, tmp_path: Path) -> None:
    uri = s3.bucket()
    open_store(uri).put("in put/cat %20.parquet", b"abc")
    path = fetch(f"{uri}/in put/cat %20.parquet", tmp_path / "scratch")
    assert path.read_bytes() == b"abc"
    assert path.parent == tmp_path / "scratch"
    assert path.suffix == ".parquet"
    assert exists(f"{uri}/in put/cat %20.parquet")
    assert not exists(f"{uri}/nothing")
    with pytest.raises(NotFound):
        fetch(f"{uri}/nothing", tmp_path)
    for folder in (uri, f"{uri}/in put/"):
        with pytest.raises(StoreError, match="Name one object"):
            fetch(folder, tmp_path)


def test_only_allowed_places(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "in-side"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    allowed = [str(inside), "s3://bucket/data"]
    for good in (f"{inside}", f"{inside}/x/y", "s3://bucket/data/x", "s3://bucket/data"):
        check_allowed(good, allowed)
    for bad in (
        f"{outside}/x",
        f"{inside}/../x",
        f"{inside}/link/x",
        "/etc/passwd",
        "s3://bucket/data-b/x",
        "s3://bucket",
        "s3://other/data/x",
    ):
        with pytest.raises(AccessDenied, match="outside the places"):
            check_allowed(bad, allowed)
    with pytest.raises(StoreError):
        check_allowed("s3://bucket/data/../x", allowed)
    with pytest.raises(AccessDenied, match="none are set"):
        check_allowed(str(inside), [])
    check_allowed("/etc/passwd", ["*"])
    check_allowed("s3://bucket/x", ["s3://bucket"])
