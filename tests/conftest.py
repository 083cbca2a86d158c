"""Fixtures for every test: real S3 servers, and stores on them and on disk."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# pytest puts this folder on the path, where `tests/tasks` would hide `tasks`: the root comes first.
sys.path.insert(0, str(Path(__file__).parents[1]))

# A shell that starts us in the background makes us, and every process that a test starts, deaf to Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from support.s3_servers import S3, S3Server, available, start

from tasks.store import Store, open_store


@pytest.fixture(scope="session")
def s3_server_named() -> Iterator[Callable[[str], S3Server]]:
    """Start servers by name, each once per session; skips the test where a server is not to be had."""
    running: dict[str, S3Server] = {}

    def named(name: str) -> S3Server:
        if name not in available():
            pytest.skip(f"no {name} S3 server on this machine")
        if name not in running:
            running[name] = start(name)
        return running[name]

    yield named
    for server in running.values():
        server.stop()


@pytest.fixture(scope="session")
def s3_server(s3_server_named: Callable[[str], S3Server]) -> S3Server:
    """The best S3 server that this machine has."""
    names = available()
    if not names:
        pytest.skip("no S3 server: set S3_TEST_ENDPOINT, install Ceph's radosgw, or pip install swift")
    return s3_server_named(names[0])


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The best S3 server, with the AWS environment pointing to it."""
    return point_to(s3_server, monkeypatch)


@pytest.fixture(params=available() or ["real"])
def each_s3(
    request: pytest.FixtureRequest, s3_server_named: Callable[[str], S3Server], monkeypatch: pytest.MonkeyPatch
) -> S3:
    """Each S3 server that this machine has, in turn."""
    return point_to(s3_server_named(request.param), monkeypatch)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: in a folder, and in a bucket."""
    if request.param == "local":
        return open_store(str(tmp_path / "store"))
    s3: S3 = request.getfixturevalue("s3")
    return open_store(f"{s3.bucket()}/below/here")


def point_to(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3:
    """Point the AWS environment to `server` for the length of a test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    return S3(server)
