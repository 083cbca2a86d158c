"""Prefect as the command line needs it: quiet, and with a server at hand, by default one that ends with the run."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading

DEFAULTS = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # errors reach people through the command's own messages
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


_WATCHERS: list[subprocess.Popen[bytes]] = []


class NoServer(ValueError):
    """The Prefect server that the environment names does not answer."""


def quiet() -> None:
    """Leave the terminal to our own progress, unless the user asked otherwise. To be called before Prefect's import."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for library in ("httpx", "httpcore", "models.host"):  # what the engine host logs, progress tells
        logging.getLogger(library).setLevel(logging.CRITICAL)


def start() -> None:
    """Have a Prefect server at hand: the one that is configured, or an embedded one in a process of its own.

    Raises `NoServer`.
    """
    import httpx
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if url is None:
        _start_embedded()
        return
    try:
        httpx.get(f"{url}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        raise NoServer(
            f"No Prefect server answers at {url} ({type(error).__name__}). Start it with `prefect server start`, or "
            "unset PREFECT_API_URL to run without one"
        ) from error


def _start_embedded() -> None:
    """Start the server that Prefect would start by itself, but deaf to Ctrl-C.

    A terminal sends the interrupt to every process in the foreground. The server would end at once, and the run, which
    has to report its end there, would wait a minute for it. A blocked signal stays blocked in a child process.
    """
    from prefect.server.api.server import SubprocessASGIServer

    # Ended by a service manager, the run must still end its server: as after a Ctrl-C.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    failure: list[BaseException] = []

    def launch() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of this thread, whose mask the child inherits
        try:
            SubprocessASGIServer().start()
        except Exception as error:
            failure.append(error)

    # In a thread, so that the main one still hears a Ctrl-C while the server starts.
    thread = threading.Thread(target=launch, daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    server = SubprocessASGIServer().server_process  # Prefect keeps one for each process
    if server is not None:
        _end_with_us(server.pid)


# Reads until its end of the pipe is closed, which the system does however the run dies, and ends the server if it is
# still there. The handle is taken at once, so that it never means another process.
_WATCH = """
import os, signal, sys
try:
    server = os.pidfd_open(int(sys.argv[1]))
except ProcessLookupError:
    sys.exit()
sys.stdin.buffer.read()
try:
    signal.pidfd_send_signal(server, signal.SIGTERM)
except ProcessLookupError:
    pass
"""


def _end_with_us(pid: int) -> None:
    """End the server when this process is gone, even by SIGKILL, after which nothing of its own runs."""
    if hasattr(os, "pidfd_open"):  # on Linux
        watcher = subprocess.Popen(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-S", "-c", _WATCH, str(pid)], stdin=subprocess.PIPE, start_new_session=True
        )
        _WATCHERS.append(watcher)  # held, for with it the pipe would be closed
