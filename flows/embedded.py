"""Prefect as the command line needs it: quiet, and with a server at hand, by default one that ends with the run."""

from __future__ import annotations

import logging
import os
import signal
import threading

DEFAULTS = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # errors reach people through the command's own messages
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


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
