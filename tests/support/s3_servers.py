"""Real S3 servers for tests: an endpoint of your own, Ceph's object gateway, or OpenStack Swift; started on loopback.

`S3_TEST_ENDPOINT` (with `S3_TEST_ACCESS_KEY` and `S3_TEST_SECRET_KEY`) names an endpoint of your own. Servers that are
started here keep their state in a temporary folder and die with this process, killed or not.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CEPH_PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool")
READY_SECONDS = 90
KEEP_LOCAL = "127.0.0.1,localhost"


@dataclass(slots=True, kw_only=True)
class S3Server:
    """A running server. `env` is what a process needs in order to speak to it."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    end: Callable[[], None]
    atomic_create: bool | None = None
    """Whether this kind of server is known to have one winner among simultaneous creates; None: not known."""
    buckets: list[str] = field(default_factory=list)
    _client: Any = field(default=None, repr=False)

    @property
    def env(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # Whatever the person at this machine has configured must not reach the tests.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": KEEP_LOCAL,
            "no_proxy": KEEP_LOCAL,
        }

    def client(self) -> Any:
        """A plain boto3 client with these keys, for what a store does not do."""
        import boto3
        from botocore.config import Config

        self._client = self._client or boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                proxies={},
            ),
        )
        return self._client

    def bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"pressrun-test-{uuid.uuid4().hex[:16]}"
        self.client().create_bucket(Bucket=name)
        self.buckets.append(name)
        return name

    def stop(self) -> None:
        self.end()


@dataclass(frozen=True, slots=True)
class S3:
    """An S3 server that this test's environment (and that of its child processes) points to."""

    server: S3Server

    @property
    def endpoint(self) -> str:
        return self.server.endpoint

    @property
    def access_key(self) -> str:
        return self.server.access_key

    @property
    def secret_key(self) -> str:
        return self.server.secret_key

    @property
    def env(self) -> dict[str, str]:
        """The environment variables by which a child process reaches the server."""
        return self.server.env

    def bucket(self) -> str:
        """The `s3://` URI of a new, empty bucket."""
        return f"s3://{self.server.bucket()}"


def available() -> list[str]:
    """The servers that can be had on this machine, the best first."""
    names = []
    if os.environ.get("S3_TEST_ENDPOINT"):
        names.append("endpoint")
    if all(map(shutil.which, CEPH_PROGRAMS)):
        names.append("ceph")
    if importlib.util.find_spec("swift") and _attributes_work(Path(tempfile.gettempdir())):
        names.append("swift")
    return names


def start(name: str) -> S3Server:
    """Start the server called `name` and wait until it answers."""
    return {"endpoint": _endpoint, "ceph": _ceph, "swift": _swift}[name]()


def _endpoint() -> S3Server:
    server = S3Server(
        name="endpoint",
        endpoint=os.environ["S3_TEST_ENDPOINT"],
        access_key=os.environ.get("S3_TEST_ACCESS_KEY") or os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ.get("S3_TEST_SECRET_KEY") or os.environ["AWS_SECRET_ACCESS_KEY"],
        end=lambda: None,
    )

    def clear() -> None:
        client = server.client()
        for bucket in server.buckets:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    client.delete_object(Bucket=bucket, Key=item["Key"])
            client.delete_bucket(Bucket=bucket)

    server.end = clear
    return server


def _ceph() -> S3Server:
    """One monitor, one in-memory OSD and a gateway, without authentication among themselves."""
    home = Path(tempfile.mkdtemp(prefix="rgw-"))  # short: socket paths end at 107 characters
    for folder in ("mon", "osd", "run"):
        (home / folder).mkdir()
    port, monitor, monitor_v1 = free_ports(3)
    cluster = str(uuid.uuid4())
    addresses = f"[v2:127.0.0.1:{monitor}/0,v1:127.0.0.1:{monitor_v1}/0]"
    (home / "ceph.conf").write_text(CEPH_CONF.format(home=home, port=port, cluster=cluster, addresses=addresses))
    env = {**os.environ, "CEPH_CONF": str(home / "ceph.conf"), "CEPH_ARGS": ""}
    daemons: list[subprocess.Popen[bytes]] = []

    def tool(*command: str) -> str:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=READY_SECONDS)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()[-800:]}")
        return done.stdout

    def daemon(*command: str) -> None:
        daemons.append(_child(command, env, home / f"{command[0]}.out"))

    def end() -> None:
        for process in reversed(daemons):  # the gateway first: it waits for the others
            _kill(process)
        shutil.rmtree(home, ignore_errors=True)

    try:
        map_file = str(home / "monmap")
        tool("monmaptool", "--create", "--clobber", "--fsid", cluster, "--addv", "a", addresses, map_file)
        tool("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_file)
        daemon("ceph-mon", "-f", "-i", "a")
        disk = str(uuid.uuid4())
        tool("ceph", "--connect-timeout", str(READY_SECONDS), "osd", "new", disk, "0")
        tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        tool("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
        daemon("ceph-osd", "-f", "-i", "0")
        daemon("radosgw", "-f", "-n", "client.rgw.a")
        user = json.loads(tool("radosgw-admin", "user", "create", "--uid=test", "--display-name=test"))
        endpoint = f"http://127.0.0.1:{port}"
        _wait_for(endpoint, daemons)
    except BaseException:
        end()
        raise
    keys = user["keys"][0]
    return S3Server(
        name="ceph",
        endpoint=endpoint,
        access_key=keys["access_key"],
        secret_key=keys["secret_key"],
        end=end,
        atomic_create=True,
    )


def _swift() -> S3Server:
    """OpenStack Swift with its S3 interface, in one process."""
    home = Path(tempfile.mkdtemp(prefix="swift-"))
    ports = free_ports(4)
    script = str(Path(__file__).with_name("swift_server.py"))
    process = _child((sys.executable, script, str(home), *map(str, ports)), dict(os.environ), home / "out")

    def end() -> None:
        _kill(process)
        shutil.rmtree(home, ignore_errors=True)

    endpoint = f"http://127.0.0.1:{ports[0]}"
    try:
        _wait_for(endpoint, [process])
    except BaseException:
        end()
        raise
    return S3Server(
        name="swift",
        endpoint=endpoint,
        access_key="test:tester",
        secret_key="testing",
        end=end,
        atomic_create=False,
    )


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _child(command: tuple[str, ...], env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A process in a session of its own that the kernel kills when this one dies."""
    with log.open("wb") as out:
        return subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=_die_together
        )


def _die_together() -> None:
    os.setsid()
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for(endpoint: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """Return when any HTTP answer comes from `endpoint`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    late = time.monotonic() + READY_SECONDS
    while time.monotonic() < late:
        for process in processes:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with {process.returncode} while starting")
        try:
            opener.open(endpoint, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{endpoint} did not answer within {READY_SECONDS} s")


def _attributes_work(folder: Path) -> bool:
    """Swift keeps metadata in extended attributes, which not every file system has."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        try:
            os.setxattr(file.name, "user.pressrun", b"x" * 512)
        except (OSError, AttributeError):
            return False
    return True


CEPH_CONF = """[global]
fsid = {cluster}
mon host = {addresses}
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms mon client mode = crc
run dir = {home}/run
admin socket = {home}/run/$name.asok
pid file = {home}/run/$name.pid
log file = {home}/$name.log
mon data = {home}/mon
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
# A monitor gathers changes for a second by default, which is most of the time that a start takes.
paxos propose interval = 0.05
paxos min wait = 0.01
osd data = {home}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd erasure code plugins =
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd max object name len = 2048
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw thread pool size = 32
rgw dns name = localhost
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
"""
