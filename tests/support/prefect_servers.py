"""A real Prefect server and worker for tests, in processes and a home of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0


@dataclass(slots=True)
class PrefectServer:
    """A running server; `env` is what clients and workers need."""

    home: Path
    env: dict[str, str]
    api: str
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        """Run the `prefect` command against this server; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, f"prefect {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def spawn(self, log: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a `prefect` process that goes on."""
        with (self.home / log).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *arguments],
                cwd=ROOT, env=self.env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the server's API."""
        request = urllib.request.Request(
            f"{self.api}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def flow_runs(self) -> list[dict[str, Any]]:
        """All flow runs, oldest first."""
        runs: list[dict[str, Any]] = self.ask("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "limit": 50})
        return runs

    def wait(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """The first true value of `condition`, asked until `seconds` have passed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.5)
        logs = "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.home.glob("*.log"))
        raise AssertionError(f"{what} did not happen within {seconds:.0f} s\n{logs}")

    def stop(self) -> None:
        """End everything that was started here."""
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def start_server(home: Path, env: dict[str, str]) -> PrefectServer:
    """Start `prefect server` with its state in `home`; `env` is added to the environment of all its processes."""
    port = _free_port()
    server = PrefectServer(
        home=home,
        api=f"http://127.0.0.1:{port}/api",
        env={
            **os.environ,
            **env,
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_CLI_PROMPT": "false",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(ROOT),
        },
    )
    server.spawn("server.log", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui")

    def healthy() -> bool:
        try:
            return bool(server.ask("/health"))
        except (urllib.error.URLError, OSError):
            return False

    try:
        server.wait(healthy, START_SECONDS, "the start of the Prefect server")
    except AssertionError:
        server.stop()
        raise
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
