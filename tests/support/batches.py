"""Whole runs without Prefect, with tiny engines: what the crash tests run, kill, resume and compare."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import report
from tasks.begin import begin
from tasks.commit import Commit, done_shards
from tasks.engines import EnginePool
from tasks.identity import sha256
from tasks.index import publish_segment
from tasks.manifest import finish
from tasks.plan.model import Shard, stages
from tasks.settings import Settings
from tasks.shard import make_shard
from tasks.store import Store, open_store
from tasks.workshop import Workshop

TINY = dict.fromkeys(("copy", "image", "records"), "tests.support.engines:mixed")


def tiny_settings(**more: Any) -> Settings:
    """Settings under which every kind is made by a tiny engine; one process serves them all."""
    same = {"copy_model": "table", "image_model": "table"}
    return Settings(**{**same, "engines": TINY, "shard_items": 4, "max_attempts": 3, **more})


def write_specs(folder: Path, *, copies: int = 4, images: int = 3, records: int = 1) -> Path:
    """A spec file with jobs of every kind; its table lies beside it."""
    rows: list[dict[str, Any]] = [
        {"job_id": f"copy-{n}", "kind": "copy", "channel": ("social", "product_page")[n % 2], "variants": 2,
         "product_name": f"Harbour Mug {'ABCDEFGH'[n % 8]}", "features": ["stoneware", "dishwasher-safe"],
         "meta_sku": n}
        for n in range(copies)
    ]  # fmt: skip
    rows += [{"job_id": f"image-{n}", "kind": "image", "prompt": f"a blue mug, view {n}"} for n in range(images)]
    rows += [
        {"job_id": f"records-{n}", "kind": "records", "source": "table.parquet", "rows": 60} for n in range(records)
    ]
    path = folder / "specs.parquet"
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    draw = random.Random(7)
    table = pa.table(
        {
            "age": [draw.randrange(18, 90) for _ in range(200)],
            "spend": [round(draw.lognormvariate(3, 1), 2) for _ in range(200)],
            "city": [draw.choice(["Oslo", "Bergen", "Tromsø"]) for _ in range(200)],
        }
    )
    pq.write_table(table, folder / "table.parquet")
    return path


def run_batch(
    specs: Sequence[str],
    to: str,
    settings: Settings,
    *,
    run_id: str | None = None,
    workers: int = 1,
    arrange: Callable[[list[Shard]], list[Shard]] = lambda shards: shards,
) -> tuple[dict[str, Any], list[Commit]]:
    """Begin, make what is not committed yet, finish, report. Gives the manifest and the commits of this call."""
    store = open_store(to)
    with begin(specs, store, settings, run_id=run_id) as begun:
        engines = EnginePool()
        shop = Workshop(store, begun.plan, begun.desk, engines)
        done = done_shards(store, begun.plan.run_id)
        left = arrange([shard for shard in begun.plan.shards if shard.id not in done])
        made: list[Commit] = []
        try:
            for stage in stages(begun.plan.shards):
                now = {shard.id for shard in stage}
                with ThreadPoolExecutor(workers) as pool:
                    made += pool.map(lambda shard: make_shard(shard, shop), [s for s in left if s.id in now])
        finally:
            engines.close()
        publish_segment(store, begun.plan, begun.desk.scratch)
        manifest = finish(store, begun.plan)
        report.write(store, begun.plan.run_id, begun.desk.scratch)
        return manifest, made


def outputs(store: Store, run: str) -> dict[str, str]:
    """Everything a run made, SHA-256 by key, without what tells of time: seconds, the manifest's dates, the page."""
    found = {}
    for entry in store.list(f"{run}/"):
        key = entry.key.removeprefix(f"{run}/")
        data = store.get(entry.key)
        if key.startswith("_commits/"):
            record = json.loads(data)
            del record["seconds"]
            data = json.dumps(record, sort_keys=True).encode()
        if key == "manifest.json":
            manifest = json.loads(data)
            data = json.dumps({name: manifest[name] for name in TIMELESS}, sort_keys=True).encode()
        if not key.startswith("report/"):
            found[key] = sha256(data)
    return found


TIMELESS = ("run_id", "status", "specs", "items", "candidates", "rows", "tokens", "digests", "versions", "numerics")

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["support.batches", "support.crash", "tasks.store.s3", "boto3", *(f"tasks.kinds.{kind}.kind" for kind in TINY)]
)


def spawn(*arguments: Any, **environment: str) -> BaseProcess:
    """Start `run_batch(*arguments)` in a process of its own, with crashes as `environment` says."""
    storage = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    process = _context.Process(target=_child, args=(arguments, storage | environment))
    process.start()
    return process


def _child(arguments: tuple[Any, ...], environment: dict[str, str]) -> None:
    from support import crash

    os.environ.update(environment)
    crash.install()
    specs, to, options = arguments
    run_batch([specs], to, tiny_settings(), **options)
