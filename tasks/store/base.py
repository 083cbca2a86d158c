"""What a store is: the interface, what it answers, the errors it raises, and which keys are keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

MAX_KEY_BYTES = 900  # S3 ends at 1,024 with the root's own prefix; the rest is left to that
MAX_SEGMENT_BYTES = 240  # file systems end at 255
TEMP_PREFIX = ".tmp-"  # names of half-written files in a local store; no key may use it
PROBE_PREFIX = "_probe/"


class StoreError(Exception):
    """Storage could not do what was asked. The message says what, where, and what to do about it."""


class NotFound(StoreError):
    """Nothing stands under this key."""


class AccessDenied(StoreError):
    """The store, or the file system, refuses: credentials, permissions, or a place that is not allowed."""


class NoSuchBucket(StoreError):
    """The bucket of an `s3://` URI does not exist."""


class Transient(StoreError):
    """The store kept failing in ways that usually pass (503, resets, time-outs). Trying again later is right."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its key below the store's root, its size in bytes, and when it was last written (with time zone)."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Probe:
    """What a real race on this store showed. Without `atomic_create`, only one writer at a time is safe."""

    atomic_create: bool
    detail: str


class Store(Protocol):
    """Objects under one root URI. Safe to use from several threads.

    Keys are relative POSIX paths (see `check_key`). No key may be a folder of another key: `a` and `a/b` cannot both
    stand in a local store. Every method may raise `AccessDenied`, `NoSuchBucket`, `Transient` or `StoreError`.
    """

    @property
    def uri(self) -> str:
        """The root: an absolute path, or `s3://bucket[/prefix]`, without a slash at the end."""

    def join(self, key: str) -> str:
        """The full URI of `key`."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises `NotFound`."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from byte `start` on; fewer at the object's end, none behind it. Raises `NotFound`."""

    def download(self, key: str, path: Path) -> None:
        """Write the object to the file `path`, which appears whole or not at all. Raises `NotFound`."""

    def put(self, key: str, data: bytes | Path) -> None:
        """Write an object, or replace it, atomically: readers see the old bytes or the new ones. Durable on return.

        A `Path` is a file whose content is written; it must not change meanwhile.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if nothing stands under `key`. True: this call's object is the one that stands.

        False: something stood there already, and it was left alone. The answer is exact even when a response is lost
        and the request repeated, because each call leaves a mark of its own beside the bytes. After `Transient`
        the object may or may not stand: ask again, or read it. Two creates at once have one winner only where
        `probe().atomic_create` holds.
        """

    def copy(self, src_key: str, dst_key: str) -> None:
        """Copy within the store, replacing the target, without the bytes passing through here. Raises `NotFound`."""

    def head(self, key: str) -> Entry | None:
        """What stands under `key`, or None."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix` (any string, not only a folder), sorted by key, streaming."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there count as removed."""

    def sweep(self, older_than: timedelta, *, dry_run: bool = False) -> Sequence[str]:
        """Remove what interrupted writes left behind (temporary files, open multipart uploads); returns their names."""

    def probe(self) -> Probe:
        """Find out by a real race what this store can do. Writes below `_probe/` and cleans up after itself."""


def check_key(key: str) -> str:
    """`key` itself, if it is a relative POSIX path that every store can hold; otherwise `StoreError` says why not."""
    if problem := _problem(key):
        raise StoreError(f"{_shown(key)} is no key for a store: {problem}.")
    return key


def is_key(key: str) -> bool:
    """Whether `check_key` would let `key` pass."""
    return _problem(key) is None


def check_prefix(prefix: str) -> str:
    """`prefix` itself, if it can be the beginning of a key (the empty one can)."""
    whole = prefix + "x" if not prefix or prefix.endswith("/") else prefix
    if problem := _problem(whole):
        raise StoreError(f"{_shown(prefix)} cannot begin a key of a store: {problem}.")
    return prefix


def _problem(key: str) -> str | None:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if not key:
        return "it is empty"
    if len(encoded) > MAX_KEY_BYTES:
        return f"it has {len(encoded)} bytes, more than {MAX_KEY_BYTES}"
    if any(unicodedata.category(c) == "Cc" for c in key):
        return "it holds control characters"
    if key.startswith("/"):
        return "it is absolute"
    for segment in key.split("/"):
        if not segment:
            return "it has an empty segment"
        if segment in (".", ".."):
            return f"it has a segment {segment!r}"
        if segment.startswith(TEMP_PREFIX):
            return f"names that start with {TEMP_PREFIX!r} are kept for half-written files"
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            return f"a segment has more than {MAX_SEGMENT_BYTES} bytes"
    return None


def _shown(key: str) -> str:
    return repr(key if len(key) <= 120 else key[:117] + "...")
