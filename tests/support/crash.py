"""Death at a chosen store call, for tests of what a killed process leaves behind.

A child process calls `install()` before its work. With `CRASH_AT=N:before` or `N:after` in its environment it kills
itself (SIGKILL, so that nothing is tidied up) around its N-th store call, counted from 1 over all stores and threads
of the process. With `CRASH_COUNT_TO=FILE` it writes the number of calls to FILE as it goes, so that a test learns how
many places there are to die at.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from tasks.store import Entry, Probe, Store
from tasks.store.local import LocalStore

METHODS = ("get", "get_range", "download", "put", "create", "copy", "head", "list", "delete", "sweep", "probe")
When = Literal["before", "after"]


class Fuse:
    """Counts calls and kills the process around the call number `at`; 0 never kills."""

    def __init__(self, at: int = 0, when: When = "before", count_to: Path | None = None) -> None:
        self.at, self.when, self.count_to = at, when, count_to
        self._numbers = itertools.count(1)  # next() on it is atomic
        self.calls = 0

    def around(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        number = self.calls = next(self._numbers)
        if self.count_to is not None:
            with self.count_to.open("a") as file:  # one appended byte a call: threads cannot overwrite each other
                file.write(".")
        if number == self.at and self.when == "before":
            die()
        try:
            return action(*args, **kwargs)
        finally:  # an answer such as NotFound is one too
            if number == self.at:
                die()


def die() -> None:
    """Kill this process as an out-of-memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


def install() -> Fuse:
    """Put every store of this process, present and future, on one fuse that the environment describes."""
    at, _, when = os.environ.get("CRASH_AT", "0:before").partition(":")
    if when not in ("before", "after"):
        raise ValueError(f"CRASH_AT={at}:{when}: write N:before or N:after")
    count_to = os.environ.get("CRASH_COUNT_TO")
    fuse = Fuse(int(at), "before" if when == "before" else "after", Path(count_to) if count_to else None)
    from tasks.store.s3 import S3Store

    for kind in (LocalStore, S3Store):
        for name in METHODS:
            setattr(kind, name, _on(fuse, getattr(kind, name)))
    return fuse


def _on(fuse: Fuse, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return fuse.around(method, *args, **kwargs)

    return call


class CrashingStore:
    """The store `inner`, on a fuse of its own."""

    def __init__(self, inner: Store, at: int, when: When) -> None:
        self.inner = inner
        self.fuse = Fuse(at, when)

    @property
    def uri(self) -> str:
        return self.inner.uri

    def join(self, key: str) -> str:
        return self.inner.join(key)

    def get(self, key: str) -> bytes:
        return self.fuse.around(self.inner.get, key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self.fuse.around(self.inner.get_range, key, start, length)

    def download(self, key: str, path: Path) -> None:
        self.fuse.around(self.inner.download, key, path)

    def put(self, key: str, data: bytes | Path) -> None:
        self.fuse.around(self.inner.put, key, data)

    def create(self, key: str, data: bytes) -> bool:
        return self.fuse.around(self.inner.create, key, data)

    def copy(self, src_key: str, dst_key: str) -> None:
        self.fuse.around(self.inner.copy, src_key, dst_key)

    def head(self, key: str) -> Entry | None:
        return self.fuse.around(self.inner.head, key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        return self.fuse.around(self.inner.list, prefix)

    def delete(self, keys: Iterable[str]) -> None:
        self.fuse.around(self.inner.delete, keys)

    def sweep(self, older_than: timedelta, *, dry_run: bool = False) -> Sequence[str]:
        return self.fuse.around(self.inner.sweep, older_than, dry_run=dry_run)

    def probe(self) -> Probe:
        return self.fuse.around(self.inner.probe)
