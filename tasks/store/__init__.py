"""Where outputs live: a local folder or S3-compatible storage behind one small interface, chosen by URI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasks.store.base import (
    AccessDenied,
    Entry,
    NoSuchBucket,
    NotFound,
    Probe,
    Store,
    StoreError,
    Transient,
    check_key,
)
from tasks.store.local import LocalStore

__all__ = [
    "AccessDenied",
    "Entry",
    "NoSuchBucket",
    "NotFound",
    "Probe",
    "S3Options",
    "Store",
    "StoreError",
    "Transient",
    "check_key",
    "is_s3",
    "open_store",
    "split_s3",
]

MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Options:
    """How to speak to S3-compatible storage, beyond what the standard AWS environment and config files say."""

    endpoint_url: str | None = None
    """Overrides AWS_ENDPOINT_URL and the config files."""
    region: str | None = None
    """Overrides AWS_REGION and the config files."""
    part_bytes: int = 16 * MB
    """Files above this size travel in parts of it; no less than 5 MB, which is S3's own floor."""
    page_size: int = 1000
    """Keys per request of a listing."""
    attempts: int = 3
    """Rounds of tries before `Transient`; each round is up to three requests."""
    connect_timeout: float = 10.0
    """Seconds."""
    read_timeout: float = 60.0
    """Seconds without a byte from the server."""


def open_store(uri: str, *, options: S3Options | None = None) -> Store:
    """The store at `uri`: a path, `file:///path`, or `s3://bucket[/prefix]`. Nothing is read or written yet.

    Raises `StoreError` for a URI that names no store, and `AccessDenied` if S3 credentials are missing.
    """
    if is_s3(uri):
        from tasks.store.s3 import S3Store  # boto3 takes a third of a second to import

        bucket, prefix = split_s3(uri)
        return S3Store(bucket, prefix.rstrip("/"), options or S3Options())
    return LocalStore(local_path(uri))


def is_s3(uri: str) -> bool:
    """Whether `uri` speaks of S3-compatible storage."""
    return uri.lower().startswith("s3://")


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix, or nothing) of an `s3://` URI. Nothing is decoded: `%20` is three characters."""
    bucket, _, key = uri[len("s3://") :].partition("/")
    if not bucket:
        raise StoreError(f"{uri!r} names no bucket. Write s3://BUCKET/FOLDER.")
    if key.strip("/"):
        check_key(key.rstrip("/"))
    return bucket, key if key.strip("/") else ""


def local_path(uri: str) -> Path:
    """The path that a path or a `file://` URI names."""
    scheme, mark, rest = uri.partition("://")
    if mark and scheme.lower() == "file":
        if not rest.startswith("/"):
            raise StoreError(f"{uri!r} names another machine. Write file:///PATH, with three slashes.")
        return Path(rest)
    if mark and scheme.isalnum():
        raise StoreError(f"{uri!r}: {scheme}:// is not supported. Use a path or an s3:// URI.")
    if not uri.strip():
        raise StoreError("No store was named. Give a folder or an s3:// URI.")
    return Path(uri)
