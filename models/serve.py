"""The child's side of an engine process: `python -m models.serve`, started by `models.host` and of no use alone.

Frames come in on standard input and go out on what was standard output; whatever the engine prints goes to standard
error. The process lives as long as its input stays open: when the parent closes it or dies, the child is gone at once,
even in the middle of a batch. Nothing heavy is imported here, so that starting costs what the engine costs.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from typing import IO, Any

from models import wire
from models.engine import Engine, EngineSpec, open_engine

_PR_SET_PDEATHSIG = 1
_CLOSE_SECONDS = 0.5  # what an idle engine gets to tidy up once the parent has gone


class Outbox:
    """Writes results and notes from its own thread: what is finished leaves at once, what piled up leaves together."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def put(self, result: Any) -> None:
        """Queue a result."""
        self._queue.put(result)

    def note(self, kind: wire.Kind, **values: Any) -> None:
        """Queue a frame with a JSON body, behind the results that were put before it."""
        self._queue.put((kind, values))

    def flush(self, seconds: float) -> None:
        """Write what is queued and stop, waiting no longer than `seconds`."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _write(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                results = []
                while item is not None and not isinstance(item, tuple):
                    results.append(item)
                    if self._queue.empty() or len(results) >= wire.FULL_ROWS:
                        break
                    item = self._queue.get()
                self._write_results(results)
                if isinstance(item, tuple):
                    wire.write_note(self._stream, item[0], **item[1])
                if item is None:
                    return
        except OSError:
            os._exit(1)  # the parent has gone

    def _write_results(self, results: list[Any]) -> None:
        try:
            for body in wire.pack(results):
                wire.write(self._stream, wire.Kind.RESULTS, body)
        except wire.WireError as e:
            if len(results) == 1:
                bad = results[0]
                results = [type(bad)(id=str(bad.id), error=f"the engine's answer is unusable: {e}")]
                self._write_results(results)
                return
            for result in results:  # a frame written twice does no harm: the parent takes an answer once
                self._write_results([result])


class Server:
    """Feeds an engine from one pipe; its answers go to the outbox."""

    def __init__(self, engine: Engine, incoming: IO[bytes], outbox: Outbox) -> None:
        self._engine = engine
        self._incoming = incoming
        self._outbox = outbox
        self._received = 0  # requests that the engine has accepted so far
        self._work = threading.Event()
        self._busy = False
        self._closing = False

    def run(self) -> None:
        """Answer requests until the parent closes the pipe. Never returns."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while True:
            self._work.wait()
            self._work.clear()
            if self._closing:
                self._engine.close()
                os._exit(0)
            self._busy = True
            received = self._received
            for result in self._engine.results():
                self._outbox.put(result)
            self._busy = False
            # The count lets the parent notice requests that the engine has lost.
            self._outbox.note(wire.Kind.IDLE, received=received)

    def _read(self) -> None:
        try:
            while (frame := wire.read(self._incoming)) is not None:
                requests = wire.unpack(frame[1])
                self._engine.submit(requests)
                self._received += len(requests)
                self._work.set()
        except BaseException as e:
            give_up(self._outbox, e)
        if not self._busy:
            self._closing = True
            self._work.set()
            time.sleep(_CLOSE_SECONDS)
        os._exit(0)


class _ToParent(logging.Handler):
    """Sends log records to the parent, which knows where they belong."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        self._outbox.note(wire.Kind.LOG, level=record.levelno, name=record.name, message=self.format(record))


def reason_of(error: BaseException) -> str:
    """The error for people: the bare message where it was written for them, else with its type."""
    if isinstance(error, ValueError | OSError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def give_up(outbox: Outbox, error: BaseException) -> None:
    """Say why and end the process."""
    traceback.print_exception(error)
    outbox.note(wire.Kind.ERROR, reason=reason_of(error))
    outbox.flush(2.0)
    sys.stderr.flush()
    os._exit(1)


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take standard input and output for frames; prints go to standard error from here on."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the parent ends: end-of-file alone cannot stop code that never lets go of the GIL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Open the engine that the first frame names and serve it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    incoming, outgoing = take_pipes()
    die_with_parent()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # lets the parent ask where a hung engine stands
    frame = wire.read(incoming)
    if frame is None:
        return
    outbox = Outbox(outgoing)
    logging.getLogger().addHandler(_ToParent(outbox))
    try:
        engine = open_engine(EngineSpec(**wire.note(frame[1])))
        outbox.note(wire.Kind.READY)
        Server(engine, incoming, outbox).run()
    except BaseException as e:
        give_up(outbox, e)


if __name__ == "__main__":
    main()
