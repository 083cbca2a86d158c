"""The engine host: an engine in a child process that can be killed, started again and relied upon.

`EngineProcess` has the face of an `Engine`. Behind it a child hangs or dies and nobody upstairs notices more than a
delay: what was under way is submitted again, unchanged, and when it fails again the host narrows it down by halves
until the one guilty request is found, which then has an error for a result.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

from models import wire
from models.child import Child, Event
from models.engine import EngineSpec, Request, Result
from models.triage import Triage

logger = logging.getLogger(__name__)

_REASON_CHARS = 600
_REOPEN_SECONDS = 1.0
_PATIENCE_SECONDS = 1.0


class EngineFailed(Exception):
    """The engine cannot go on: it died or hung again and again without answering anything, or it was closed."""


class CannotOpen(EngineFailed):
    """The engine could not be opened; the message says why."""


class EngineProcess:
    """An engine of its own process; opening waits until the model is loaded.

    `request_timeout`: seconds without any result, while requests are pending, after which the child counts as hung.
    `open_timeout`: seconds that loading the model may take. `max_restarts`: how often in a row the child is started
    again without having answered anything; narrowing down n suspects is granted log2(n) restarts more.
    `on_event` hears `opened`, `hung`, `died`, `isolated` and `failed` with details, in the thread that runs `results`.

    `submit`, `kill` and `close` may be called from any thread, `results` from one at a time.
    """

    def __init__(
        self,
        spec: EngineSpec,
        *,
        request_timeout: float = 120.0,
        open_timeout: float = 600.0,
        max_restarts: int = 3,
        on_event: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self.spec = spec
        self.request_timeout = request_timeout
        self._open_timeout = open_timeout
        self._max_restarts = max_restarts
        self._on_event = on_event
        self._lock = threading.RLock()
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._child: Child | None = None
        self._over: str | None = None  # why no more requests are taken
        self._done: deque[Result] = deque()
        self._pending: dict[str, Request] = {}  # every request without a result
        self._sent: dict[str, Request] = {}  # those that the child has
        self._triage = Triage()  # those that it had when it failed, and those that wait behind them
        self._failures = 0  # since the last result or isolated request
        self._blamed = 0  # requests isolated since the last result
        self._progress = time.monotonic()  # when a result came last, or work for a child that had none
        self._longest = 0.0  # seconds that a result was waited for
        try:
            json.dumps(asdict(spec))
        except (TypeError, ValueError) as e:
            raise CannotOpen(f"the engine's options must be JSON values: {e}") from e
        try:
            self._open()
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int | None:
        """The child's process id, None when there is no child."""
        return self._child.pid if self._child else None

    def submit(self, requests: Sequence[Request]) -> None:
        """Queue requests; their ids must differ from those of all pending ones. Never blocks on the model."""
        requests = list(requests)
        with self._lock:
            self._check_usable()
            if strange := [r for r in requests if not isinstance(r, wire.REQUESTS)]:
                raise TypeError(f"not a request: {strange[0]!r:.100}")
            ids = {request.id for request in requests}
            if len(ids) < len(requests) or not ids.isdisjoint(self._pending):
                twice = next((i for i in ids if i in self._pending), "within one call")
                raise ValueError(f"a request with this id is pending already: {twice}")
            if not self._pending:
                self._progress = time.monotonic()
            self._pending.update((request.id, request) for request in requests)
            if self._triage.active or self._child is None or self._child.ended:
                self._triage.hold(requests)
            else:
                self._send(requests)

    def results(self) -> Iterator[Any]:
        """Yield each result as it finishes; end when nothing is pending. May be called again for the next requests.

        `EngineFailed` when the child can't be kept alive; everything pending is then given up.
        """
        while True:
            with self._lock:
                result = self._done.popleft() if self._done else None
                if result is None and not self._pending:
                    return
            if result is None:
                self._wait()
            else:
                yield result

    def cancel_pending(self) -> None:
        """Forget all requests and results not yet taken. A busy child is ended; the next request starts another."""
        with self._lock:
            busy = bool(self._sent)
            self._done.clear()
            self._pending.clear()
            self._sent.clear()
            self._triage = Triage()
            child = self._child
            if busy and child is not None:
                self._child = None
                child.kill()
        if busy and child is not None:
            child.join()

    def kill(self) -> None:
        """End the child at once; pending requests are lost and a running `results` raises `EngineFailed`."""
        self._end("the engine was killed", gently=False)

    def close(self) -> None:
        """End the child, gently if it lets us. May be called twice."""
        self._end("the engine was closed", gently=True)

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What follows runs in the thread that consumes results.

    def _wait(self) -> None:
        """Take in one event, or find out that there was none for too long."""
        self._check_usable()
        if self._child is None:
            self._open_again()
            self._feed()
        patience = self._patience()
        try:
            event = self._inbox.get(timeout=max(self._progress + patience - time.monotonic(), 0))
        except queue.Empty:
            if time.monotonic() >= self._progress + patience:
                self._give_up_hung(patience)
            return
        self._hear(event)

    def _patience(self) -> float:
        """Seconds without a result after which the child counts as hung.

        Shorter while several suspects are narrowed down: a mistake there costs another halving, and the last word, on
        a single request, is spoken with full patience.
        """
        with self._lock:
            if len(self._sent) < 2 or not self._triage.narrowing(self._sent):
                return self.request_timeout
            return min(self.request_timeout, max(_PATIENCE_SECONDS, self.request_timeout / 8, 3 * self._longest))

    def _hear(self, event: Event) -> None:
        if event.child is not self._child:
            return
        if event.name == "results":
            self._take(event.value, event.at)
            self._feed()
        elif event.name == "idle":
            self._take_lost(event.value)
        elif event.name == "end":
            self._check_usable()
            self._tell("died", reason=event.value, pending=len(self._sent))
            self._recover(f"the engine died: {event.value}", event.child)

    def _take(self, results: list[Result], at: float) -> None:
        """Results that arrived at the time `at`; those that nobody asked for (any more) are dropped."""
        with self._lock:
            wanted = [r for r in results if self._pending.pop(r.id, None) is not None]
            for result in wanted:
                self._sent.pop(result.id, None)
                self._triage.clear(result.id)
            self._done.extend(wanted)
            if wanted:
                self._longest = max(self._longest, at - self._progress)
                self._progress = max(self._progress, at)
                self._failures = self._blamed = 0

    def _take_lost(self, received: int) -> None:
        """The child has drained: requests that it received and did not answer are lost, by a fault of the engine."""
        with self._lock:
            if self._child is not None and received == self._child.sent and self._sent:
                lost = list(self._sent.values())
                self._take([wire.error_result(r, "the engine gave no answer to this request") for r in lost], 0.0)
        self._feed()

    def _feed(self) -> None:
        """When the child has nothing left: send it the next suspects, or what waited behind them."""
        with self._lock:
            if not self._sent:
                self._send(self._triage.take())

    def _send(self, requests: list[Request]) -> None:
        if requests and self._child is not None:
            # New work is a new start: a consumer that was away for long must not find that its child was idle for long.
            self._progress = time.monotonic()
            self._sent.update((request.id, request) for request in requests)
            self._child.send(requests)

    def _give_up_hung(self, patience: float) -> None:
        child = self._child
        if child is None:
            return
        child.dump_stacks()
        child.kill()
        child.join()
        self._take_in_remains(child)
        self._check_usable()
        self._tell("hung", seconds=patience, pending=len(self._sent), stderr=child.stderr_tail())
        self._recover(f"the engine hung for {patience:g} s", child)

    def _take_in_remains(self, child: Child) -> None:
        """Take the results that a dead child had still written."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._inbox.get_nowait()
                if event.child is child and event.name == "results":
                    self._take(event.value, event.at)

    def _recover(self, reason: str, dead: Child) -> None:
        """After a failure: blame somebody if that is possible, start the next child and send again what must be."""
        with self._lock:
            self._child = None
            under_way, self._sent = self._sent, {}
            guilty = self._triage.fail(list(under_way.values()))
            self._failures += 1
            granted = self._max_restarts
            if guilty is not None:
                self._blame(guilty, reason)
            elif under_way and self._triage.narrowing(under_way):
                granted += math.ceil(math.log2(self._triage.suspects))
        failures = max(self._failures, self._blamed)
        if self._failures > granted or self._blamed > self._max_restarts:
            self._fail(self._words("failed", f"{reason}, failure {failures} in a row without an answer", dead))
        if self._pending:
            self._open_again()
            self._feed()

    def _blame(self, request: Request, reason: str) -> None:
        """Give the request that brings the engine down an error for a result."""
        logger.warning("request %s: %s", request.id, reason)
        self._tell("isolated", id=request.id, reason=reason)
        blamed = self._blamed + 1
        self._take([wire.error_result(request, f"{reason[:_REASON_CHARS]} (on this request, repeatedly)")], 0.0)
        self._blamed = blamed

    def _open(self) -> None:
        """Start a child and wait until its model is loaded; `CannotOpen` if that fails."""
        started = time.monotonic()
        with self._lock:
            self._check_usable()
            child = self._child = Child(self.spec, self._inbox)
        try:
            self._wait_until_ready(child, started)
        except BaseException:
            child.kill()
            child.join()
            self._child = None
            raise
        self._progress = time.monotonic()
        self._tell("opened", pid=child.pid, seconds=round(self._progress - started, 3))

    def _open_again(self) -> None:
        """Open what could be opened before: a failure now may pass, as when another process gives memory back."""
        while True:
            try:
                return self._open()
            except CannotOpen as e:
                self._failures += 1
                if self._failures > self._max_restarts:
                    self._fail(str(e))
            time.sleep(_REOPEN_SECONDS)

    def _wait_until_ready(self, child: Child, started: float) -> None:
        while True:
            try:
                event = self._inbox.get(timeout=max(started + self._open_timeout - time.monotonic(), 0))
            except queue.Empty:
                child.dump_stacks()
                reason = f"it was not ready after {self._open_timeout:g} s"
                raise CannotOpen(self._words("cannot be opened", reason, child)) from None
            if event.child is child and event.name == "ready":
                return
            if event.child is child and event.name == "end":
                self._check_usable()
                raise CannotOpen(self._words("cannot be opened", event.value, child))

    def _words(self, what: str, reason: str, child: Child) -> str:
        words = (
            f"the engine {self.spec.factory} with the model {self.spec.ref!r} on {self.spec.device} {what}: {reason}"
        )
        tail = child.stderr_tail()
        return f"{words}\nThe last that it wrote:\n{tail}" if tail else words

    def _fail(self, message: str) -> NoReturn:
        self._tell("failed", reason=message)
        self._end(message, gently=False)
        raise EngineFailed(message)

    def _tell(self, event: str, **details: Any) -> None:
        logger.debug("engine %s: %s %s", self.spec.ref, event, details)
        if self._on_event is not None:
            self._on_event(event, details)

    def _check_usable(self) -> None:
        if self._over is not None:
            raise EngineFailed(self._over)

    def _end(self, why: str, *, gently: bool) -> None:
        with self._lock:
            self._over = self._over or why
            child = self._child
        if child is None:
            return
        if gently:
            child.close()
        else:
            child.kill()
            child.join()
