"""Copy jobs with a do-nothing engine and the full rule pack, through check, plan, judge and commit.

    python -m benchmarks.throughput [--jobs 100000 1000000] [--profile]

Prints items/s of every step and how far resident memory grew above imports. Each size runs in a process of its own.
"""

from __future__ import annotations

import argparse
import cProfile
import multiprocessing
import pstats
import random
import resource
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ENGINE = "tests.support.engines:echo"
WORDS = (
    "Harbour",
    "Alder",
    "Lumen",
    "Dune",
    "Ember",
    "Strider",
    "Market",
    "Willow",
    "Cedar",
    "Coral",
    "Amber",
    "Fjord",
)
THINGS = ("Mug", "Chair", "Lamp", "Vase", "Candle", "Shoe", "Bag", "Bowl", "Clock", "Bottle", "Tray", "Basket", "Rug")
STEPS = ("check", "plan", "judge, commit", "finish")


def write_specs(path: Path, jobs: int) -> None:
    """Jobs of an ordinary catalogue, streamed to Parquet."""
    draw = random.Random(3)
    schema = pa.schema(
        [
            ("job_id", pa.string()),
            ("kind", pa.string()),
            ("channel", pa.string()),
            ("product_name", pa.string()),
            ("brand_name", pa.string()),
            ("features", pa.list_(pa.string())),
            ("facts", pa.map_(pa.string(), pa.string())),
            ("must_avoid", pa.list_(pa.string())),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, jobs, 20_000):
            size = min(20_000, jobs - start)
            numbers = range(start, start + size)
            columns: dict[str, list[Any]] = {
                "job_id": [f"sku-{n:08d}" for n in numbers],
                "kind": ["copy"] * size,
                "channel": [("social", "product_page", "email", "seo")[n % 4] for n in numbers],
                "product_name": [f"{draw.choice(WORDS)} {draw.choice(WORDS)} {draw.choice(THINGS)}" for _ in numbers],
                "brand_name": [draw.choice(WORDS) for _ in numbers],
                "features": [["dishwasher-safe", "hand-finished", "made to last"][: 1 + n % 3] for n in numbers],
                "facts": [[("price", f"${n % 90 + 9}.00"), ("weight", f"{n % 40 * 10 + 200} g")] for n in numbers],
                "must_avoid": [["cheap", "bargain"] if n % 5 == 0 else [] for n in numbers],
            }
            writer.write_table(pa.table(columns, schema=schema))


def resident() -> int:
    """Resident bytes of this process now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Peak:
    """The highest resident size seen while a block ran, sampled ten times a second."""

    def __enter__(self) -> Peak:
        self.bytes = self.since = resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def lap(self) -> int:
        """The peak since the last lap."""
        peak, self.since = max(self.since, resident()), 0
        return peak

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            now = resident()
            self.bytes, self.since = max(self.bytes, now), max(self.since, now)


def measure(folder: Path, profile: bool = False) -> dict[str, float]:
    """Check, plan, make and finish `specs.parquet`: seconds and CPU seconds by step, memory above imports in MB."""
    from tasks.begin import begin
    from tasks.engines import EnginePool
    from tasks.index import publish_segment
    from tasks.kinds import kind
    from tasks.manifest import finish
    from tasks.settings import Settings
    from tasks.shard import make_shard
    from tasks.specs import check
    from tasks.store import open_store
    from tasks.workshop import Workshop

    kind("copy")
    specs = [str(folder / "specs.parquet")]
    settings = Settings(engines={"copy": ENGINE}, shard_items=1024, copy_batch=128)
    store = open_store(str(folder / "out"))
    figures: dict[str, float] = {}
    clock = [time.perf_counter(), time.process_time()]

    def lap(step: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        figures[step], figures[f"{step} cpu"] = now[0] - clock[0], now[1] - clock[1]
        figures[f"{step} MB"] = (peak.lap() - base) / 2**20
        clock[:] = now

    base = resident()
    profiler = cProfile.Profile()
    with Peak() as peak:
        assert not list(check(specs, folder))
        lap("check")
        if profile:
            profiler.enable()
        with begin(specs, store, settings) as begun:
            lap("plan")
            engines = EnginePool()
            shop = Workshop(store, begun.plan, begun.desk, engines)
            with nullcontext() if profile else ThreadPoolExecutor(2) as pool:
                for _ in (pool.map if pool else map)(lambda shard: make_shard(shard, shop).accepted, begun.plan.shards):
                    pass
            engines.close()
            lap("judge, commit")
            publish_segment(store, begun.plan, begun.desk.scratch)
            manifest = finish(store, begun.plan)
            lap("finish")
        if profile:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
    figures["accepted"] = manifest["items"]["accepted"]
    figures["candidates"] = manifest["candidates"]["made"]
    figures["base MB"] = base / 2**20
    figures["grown MB"] = (peak.bytes - base) / 2**20
    return figures


def _child(folder: str, queue: Any) -> None:
    queue.put(measure(Path(folder)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for jobs in options.jobs:
        with tempfile.TemporaryDirectory() as folder:
            write_specs(Path(folder) / "specs.parquet", jobs)
            if options.profile:
                print(measure(Path(folder), profile=True))
                continue
            queue = context.Queue()
            process = context.Process(target=_child, args=(folder, queue))
            process.start()
            figures = queue.get()
            process.join()
        whole = sum(figures[step] for step in STEPS)
        cpu = sum(figures[f"{step} cpu"] for step in STEPS)
        print(f"{jobs:,} jobs: {jobs / whole:,.0f} items/s in all ({1e6 * cpu / jobs:.0f} µs of CPU an item)")
        for step in STEPS:
            seconds, cpu, grown = figures[step], figures[f"{step} cpu"], figures[f"{step} MB"]
            rate = f"{seconds:8.1f} s {jobs / seconds:>9,.0f}/s {cpu:8.1f} s CPU"
            print(f"    {step:<14} {rate}   at most {grown:.0f} MB more")
        print(
            f"    accepted {figures['accepted']:,.0f} of {figures['candidates']:,.0f} candidates; "
            f"memory grew by {figures['grown MB']:.0f} MB above {figures['base MB']:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
