"""How fast is the store? Puts, creates and gets of small objects by several threads, beside plain boto3 and pyarrow.

python benchmarks/store.py                      a folder, and the best S3 server that this machine has
python benchmarks/store.py s3://bucket/prefix   a store of your own, through the AWS environment
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from support.s3_servers import available, start

from tasks.store import S3Options, is_s3, open_store, split_s3

SIZE, THREADS = 20_000, 16


def rate(work: Callable[[int], object], count: int) -> float:
    """Calls of `work` per second, the numbers below `count` spread over the threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))  # connections stand before the clock starts
        begin = time.perf_counter()
        list(pool.map(work, range(THREADS, THREADS + count)))
        return count / (time.perf_counter() - begin)


def measure(uri: str, count: int) -> None:
    root = f"{uri}/benchmark-{uuid.uuid4().hex[:8]}"
    store = open_store(root, options=S3Options())
    data = os.urandom(SIZE)
    print(f"\n{uri}")

    def show(name: str, work: Callable[[int], object]) -> None:
        print(f"  {name:<28}{rate(work, count):>8.0f} /s", flush=True)

    show("put", lambda n: store.put(f"put/{n}", data))
    show("create", lambda n: store.create(f"create/{n}", data))
    show("get", lambda n: store.get(f"put/{n}"))
    show("head", lambda n: store.head(f"put/{n}"))
    show("copy", lambda n: store.copy(f"put/{n}", f"copy/{n}"))
    begin = time.perf_counter()
    listed = sum(1 for _ in store.list())
    print(f"  {'list':<28}{listed / (time.perf_counter() - begin):>8.0f} keys/s")
    if is_s3(uri):
        peers(root, data, show)
    store.delete(entry.key for entry in store.list())


def peers(root: str, data: bytes, show: Callable[[str, Callable[[int], object]], None]) -> None:
    """The same puts without the store: what the interface costs, and what another client would give."""
    import boto3
    from botocore.config import Config
    from pyarrow.fs import S3FileSystem

    bucket, prefix = split_s3(root)
    plain = boto3.session.Session().client(
        "s3", config=Config(s3={"addressing_style": "path"}, max_pool_connections=64)
    )
    show("boto3 put_object", lambda n: plain.put_object(Bucket=bucket, Key=f"{prefix}/boto3/{n}", Body=data))
    os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "WHEN_REQUIRED"
    scheme, _, host = (os.environ.get("AWS_ENDPOINT_URL") or "https://s3.amazonaws.com").partition("://")
    arrow = S3FileSystem(scheme=scheme, endpoint_override=host)

    def write(n: int) -> None:
        with arrow.open_output_stream(f"{bucket}/{prefix}/arrow/{n}") as stream:
            stream.write(data)

    show("pyarrow", write)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uri", nargs="?", help="a store; the default tries a folder and a local server")
    parser.add_argument("--count", type=int, default=2000, help="objects per measurement")
    args = parser.parse_args()
    print(f"{args.count:,} objects of {SIZE:,} bytes, {THREADS} threads, load {os.getloadavg()[0]:.1f}")
    if args.uri:
        return measure(args.uri.rstrip("/"), args.count)
    with tempfile.TemporaryDirectory() as folder:
        measure(folder, args.count)
    for name in available()[:1]:
        server = start(name)
        try:
            os.environ.update(server.env)
            print(f"\n{name}", end="")
            measure(f"s3://{server.bucket()}", args.count)
        finally:
            server.stop()
    return None


if __name__ == "__main__":
    main()
