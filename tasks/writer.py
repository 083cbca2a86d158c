"""One writer at a time, for stores without atomic create: a lease in the run that names its holder.

A store with atomic create needs no lease: there the first commit wins. Elsewhere a second process could replace what
the first one committed. So a writer leaves its name under the run, waits until a rival's write would have shown, and
goes on only if its own still stands; while it works it renews the lease, and stops as soon as it finds another's.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tasks.store import NotFound, Store, StoreError

LEASE = "_writer.json"


class OneWriterOnly(StoreError):
    """The store has no atomic create, and somebody else writes to the run."""


class Lease:
    """This process's right to write to a run."""

    def __init__(self, store: Store, run: str, *, lasts: float = 120.0, settle: float = 2.0) -> None:
        """`lasts`: seconds after which an unrenewed lease is void; `settle`: those in which a rival would show."""
        self._store = store
        self._run = run
        self._key = f"{run}/{LEASE}"
        self._lasts = lasts
        self._settle = settle
        self._mark = uuid.uuid4().hex
        self._since = datetime.now(UTC)
        self._renewed = 0.0
        self._rival: dict[str, Any] | None = None

    def check(self) -> None:
        """Raise `OneWriterOnly` unless the lease is still this process's own."""
        if self._rival is not None:
            raise OneWriterOnly(self._words(self._rival))
        if time.monotonic() - self._renewed > self._lasts:
            raise OneWriterOnly(
                f"This process did not renew its lease on {self._store.join(self._key)} for {self._lasts:.0f} s, and "
                "another may write there by now. What was committed stays; start the same command again."
            )

    def take(self) -> None:
        """Take the lease. Raises `OneWriterOnly` while another's is alive."""
        standing = self._standing()
        if standing is not None and self._alive(standing):
            raise OneWriterOnly(self._words(standing))
        self._write()
        time.sleep(self._settle)
        self._look()
        self.check()

    def release(self) -> None:
        """Give the lease back, if it is still this process's own."""
        standing = self._standing()
        if standing is not None and standing.get("mark") == self._mark:
            self._store.delete([self._key])

    @contextmanager
    def held(self) -> Iterator[Lease]:
        """Take the lease, renew it in a thread of its own, give it back."""
        self.take()
        ended = threading.Event()
        heart = threading.Thread(target=self._beat, args=(ended,), name="writer-lease", daemon=True)
        heart.start()
        try:
            yield self
        finally:
            ended.set()
            heart.join()
            self.release()

    def _beat(self, ended: threading.Event) -> None:
        while self._rival is None and not ended.wait(self._lasts / 6):
            with suppress(StoreError):  # `check` finds out when this goes on for too long
                self._look()
                if self._rival is None:
                    self._write()

    def _write(self) -> None:
        at = time.monotonic()
        lease = {
            "owner": f"process {os.getpid()} on {socket.gethostname()}",
            "mark": self._mark,
            "since": self._since.isoformat(timespec="seconds"),
            "renewed": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._store.put(self._key, orjson.dumps(lease, option=orjson.OPT_INDENT_2))
        self._renewed = at

    def _look(self) -> None:
        standing = self._standing()
        if standing is not None and standing.get("mark") != self._mark:
            self._rival = standing

    def _standing(self) -> dict[str, Any] | None:
        try:
            found = orjson.loads(self._store.get(self._key))
        except (NotFound, orjson.JSONDecodeError):
            return None
        return found if isinstance(found, dict) else None

    def _until(self, lease: dict[str, Any]) -> datetime:
        try:
            renewed = datetime.fromisoformat(lease["renewed"]).astimezone(UTC)
            return renewed + timedelta(seconds=self._lasts)
        except (KeyError, TypeError, ValueError):
            return datetime.min.replace(tzinfo=UTC)

    def _alive(self, lease: dict[str, Any]) -> bool:
        return datetime.now(UTC) < self._until(lease)

    def _words(self, lease: dict[str, Any]) -> str:
        return (
            f"{self._store.uri} has no atomic create, so only one process may write to a run at a time, and "
            f"{lease.get('owner', 'another process')} has been writing to {self._run} since {lease.get('since', '?')}. "
            f"Wait for it. If it was killed, its lease ends at {self._until(lease).isoformat(timespec='seconds')}: "
            "start the same command again after that."
        )
