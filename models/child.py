"""One life of an engine process, seen from the parent: start it, feed it, hear it, end it.

Three threads serve a child: a keeper that starts it, reads its frames and reaps it, a writer, and one that drains its
standard error. So no pipe ever fills up while somebody waits on another. What they hear goes into one queue of events;
what it means is decided in `models.host`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models import wire
from models.engine import EngineSpec, Request

logger = logging.getLogger(__name__)

_TAIL_LINES = 60
_TAIL_CHARS = 4000
_DUMP_SECONDS = 0.3  # what a hung child gets to print its stacks
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Event:
    """What a child said or did: `ready`, `results` (a list), `idle` (a count), `end` (why)."""

    child: Child
    name: str
    value: Any
    at: float


class Child:
    """A started engine process. Its events arrive in `inbox`; the last one is `end`."""

    def __init__(self, spec: EngineSpec, inbox: queue.SimpleQueue[Event]) -> None:
        self.sent = 0  # requests handed over in this life, those that could not travel excepted
        self.ended = False
        self._spec = spec
        self._inbox = inbox
        self._outbox: queue.SimpleQueue[list[Request] | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._reason: str | None = None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = threading.Event()
        # Linux sends the death signal when the thread that started the child ends, so the keeper both starts the
        # child and stays until it is gone; the caller's thread may be a short-lived one.
        self._keeper = threading.Thread(target=self._keep, name="engine-keeper", daemon=True)
        self._keeper.start()

    @property
    def pid(self) -> int | None:
        """The process id, None if it could not be started."""
        self._started.wait()
        return self._process.pid if self._process else None

    def send(self, requests: Sequence[Request]) -> None:
        """Queue requests for the child; never blocks."""
        with self._lock:
            self.sent += len(requests)
        self._outbox.put(list(requests))

    def stderr_tail(self) -> str:
        """The last that the child wrote on standard error, for error messages."""
        return "\n".join(self._tail)[-_TAIL_CHARS:].strip()

    def dump_stacks(self) -> None:
        """Have a hung child write where each of its threads stands to standard error."""
        self._signal(signal.SIGUSR1)
        time.sleep(_DUMP_SECONDS)

    def kill(self) -> None:
        """End the child and everything that it started, at once."""
        self._started.wait()
        if self._keeper.is_alive():
            self._sweep()
        self._outbox.put(None)

    def close(self) -> None:
        """End the child by closing its input; kill it if it does not go. Leaves no zombie."""
        self._outbox.put(None)
        self._keeper.join(_CLOSE_SECONDS)
        self.kill()
        self.join()

    def join(self) -> None:
        """Wait until a child that was killed is reaped and its last frames are in the inbox."""
        self._keeper.join()

    def _sweep(self) -> None:
        """Kill the child's group. The child itself may have gone: helpers that it left can hold its pipes open."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _tell(self, name: str, value: Any = None) -> None:
        self.ended = self.ended or name == "end"
        self._inbox.put(Event(self, name, value, time.monotonic()))

    def _keep(self) -> None:
        try:
            process = self._process = _start(self._spec)
        except OSError as e:
            self._started.set()
            self._tell("end", f"could not be started: {e}")
            return
        self._started.set()
        helpers = [threading.Thread(target=f, daemon=True) for f in (self._write, self._drain_stderr)]
        for helper in helpers:
            helper.start()
        assert process.stdout is not None
        try:
            while (frame := wire.read(process.stdout)) is not None:
                self._hear(*frame)
        except (wire.WireError, OSError, KeyError) as e:
            self._reason = f"sent what is no frame: {e}"
        self._reap(process)
        self._outbox.put(None)
        for helper in helpers:
            helper.join(1.0)  # something that the engine started may hold the pipes open still
        process.stdout.close()
        self._tell("end", self._reason or _exit_words(process.returncode))

    def _hear(self, kind: wire.Kind, body: bytes) -> None:
        if kind is wire.Kind.RESULTS:
            self._tell("results", wire.unpack(body))
            return
        values = wire.note(body)
        if kind is wire.Kind.READY:
            self._tell("ready")
        elif kind is wire.Kind.IDLE:
            self._tell("idle", values["received"])
        elif kind is wire.Kind.ERROR:
            self._reason = values["reason"]
        elif kind is wire.Kind.LOG:
            logging.getLogger(values["name"]).log(values["level"], "%s", values["message"])

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._sweep()
            process.wait()
        self._sweep()

    def _write(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        pipe = self._process.stdin
        try:
            wire.write_note(pipe, wire.Kind.OPEN, **asdict(self._spec))
            while (requests := self._outbox.get()) is not None:
                end = False
                while not self._outbox.empty() and len(requests) < wire.FULL_ROWS and not end:
                    more = self._outbox.get()
                    end = more is None
                    requests.extend(more or ())
                self._write_requests(requests)
                if end:
                    break
        except OSError:
            pass  # the child has gone; the keeper tells why
        finally:
            with contextlib.suppress(OSError):
                pipe.close()

    def _write_requests(self, requests: list[Request]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            bodies = list(wire.pack(requests))
        except wire.WireError as e:
            if len(requests) > 1:
                for request in requests:
                    self._write_requests([request])
                return
            with self._lock:
                self.sent -= 1
            self._tell("results", [wire.error_result(requests[0], str(e))])
            return
        for body in bodies:
            wire.write(self._process.stdin, wire.Kind.REQUESTS, body)

    def _drain_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            # Bounded reads: an engine may print a megabyte without a line's end.
            while line := lines.readline(_TAIL_CHARS):
                text = line.decode(errors="replace").rstrip()
                if text:
                    self._tail.append(text)
                    logger.info("engine %d: %s", self._process.pid, text)


def _start(spec: EngineSpec) -> subprocess.Popen[bytes]:
    """Start the child so that it can import what this process can, and nothing from the current folder besides."""
    home = str(Path(__file__).resolve().parents[1])
    paths = [p for p in sys.path if p]
    if home not in paths:
        paths.append(home)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    # Threads that wait for one another would otherwise spin: where other work wants the cores, that made small fits
    # fifty times slower.
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if spec.threads is not None:
        # Read by torch, numpy and their libraries when they start; later calls could not undo what they set up.
        env |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(spec.threads))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "models.serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,  # a group of its own: Ctrl-C stays with the parent, and a kill reaches helpers too
    )


def _exit_words(code: int | None) -> str:
    """An exit code in words."""
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    return f"was ended by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")
