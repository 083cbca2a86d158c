"""A small HTTP proxy that stands between an S3 client and its server and, by a plan, gets in the way.

Faults: `slow_down` answers 503 without asking the server; `reset_before` breaks the connection instead of forwarding;
`reset_after` forwards, so that the request takes effect, and breaks the connection instead of answering; `delay` waits
first; `cut` sends half of the answer's body and breaks off; `hang` never answers; `refuse` answers 501. Headers travel
unchanged, `Host` included, because the signature covers it.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ALL = ("slow_down", "reset_before", "reset_after", "delay", "cut")
DELAY = 0.05  # seconds

Plan = Callable[[int, str, str], str | None]  # request number, method, path and query → fault, or None


def seeded(seed: int, rate: float, faults: tuple[str, ...] = ALL) -> Plan:
    """A plan that picks a fault for a `rate` of the requests; the same for the same seed and request number."""

    def plan(number: int, method: str, path: str) -> str | None:
        draw = random.Random(f"{seed}/{number}")
        return draw.choice(faults) if draw.random() < rate else None

    return plan


class FaultProxy:
    """A proxy to `target` on a loopback port of its own, for the length of a `with` block.

    `endpoint` is where the client goes; `injected` counts the faults by name; `requests` counts everything that came.
    """

    def __init__(self, target: str, plan: Plan) -> None:
        self.plan = plan
        self.target = urlsplit(target)
        self.injected: Counter[str] = Counter()
        self.requests = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def next_fault(self, method: str, path: str) -> str | None:
        with self._lock:
            fault = self.plan(self.requests, method, path)
            self.requests += 1
            if fault:
                self.injected[fault] += 1
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close without the polite FIN, so that a reset is one."""
        self.close_request(request)


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.next_fault(self.command, self.path)
            if fault == "slow_down":
                return self.answer(503, "Slow Down", [], _error("SlowDown"))
            if fault == "refuse":
                return self.answer(501, "Not Implemented", [], _error("NotImplemented"))
            if fault == "reset_before":
                return self.reset()
            if fault == "hang":
                proxy.closing.wait()
                return self.reset()
            if fault == "delay":
                time.sleep(DELAY)
            status, reason, headers, answer = self.forward(body)
            if fault == "reset_after" or (fault == "cut" and (not answer or self.command == "HEAD")):
                return self.reset()
            return self.answer(status, reason, headers, answer, cut=fault == "cut")

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request

        def forward(self, body: bytes) -> tuple[int, str, list[tuple[str, str]], bytes]:
            server = http.client.HTTPConnection(proxy.target.hostname or "", proxy.target.port, timeout=60)
            try:
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    server.putheader(name, value)
                server.endheaders(body or None)
                response = server.getresponse()
                return response.status, response.reason, response.getheaders(), response.read()
            finally:
                server.close()

        def answer(
            self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes, cut: bool = False
        ) -> None:
            self.send_response_only(status, reason)
            of_connection = {"connection", "transfer-encoding", "keep-alive"}
            kept = [(name, value) for name, value in headers if name.lower() not in of_connection]
            if self.command != "HEAD":
                kept = [(n, v) for n, v in kept if n.lower() != "content-length"]
                kept.append(("Content-Length", str(len(body))))
            for name, value in kept:
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the tests read the counters."""

    return Handler


def _error(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()
