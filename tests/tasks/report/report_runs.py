"""Runs for the report's tests, stored by hand through the store's own API: every shape that a real run can have."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tasks import identity, rejects
from tasks.commit import Commit, DataSet, Object, Short, commit
from tasks.kinds import kind
from tasks.manifest import finish
from tasks.plan.freeze import JOBS, PLAN
from tasks.plan.model import Counts, FitTask, Plan, Shard, Stored
from tasks.specs import Quarantined
from tasks.store import Store

SEED = 3
GOODS = ("Harbor Mug", "Fernway Lamp", "Coda Chair", "Brio Bottle", "Tarn Boot", "Alder Bag", "Wisp Throw")


class Press:
    """Stores a run: add shards, then `freeze` and, for a finished one, `finish`."""

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run = store, run
        self.shards: list[Shard] = []
        self.groups: list[list[dict[str, Any]]] = []
        self.commits: list[Commit] = []
        self.quarantined: list[Stored] = []
        self.aside = 0

    def put(self, key: str, data: bytes, rows: int | None = None) -> Object:
        self.store.put(f"{self.run}/{key}", data)
        return Object(key=key, sha256=identity.sha256(data), size=len(data), rows=rows)

    def table(self, key: str, rows: list[dict[str, Any]], schema: pa.Schema) -> Object:
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer)
        return self.put(key, buffer.getvalue(), len(rows))

    def shard(
        self,
        name: str,
        jobs: list[dict[str, Any]],
        rows: list[dict[str, Any]],
        refused: Sequence[dict[str, Any]] = (),
        files: Sequence[Object] = (),
        data_sets: Sequence[DataSet] = (),
        shortfall: Sequence[Short] = (),
        reused: frozenset[tuple[str, int]] | set[tuple[str, int]] = frozenset(),
        done: bool = True,
        seconds: float = 12.5,
    ) -> None:
        """A shard of kind `name` with its jobs, accepted rows, refused rows and files."""
        items = sum(job.get("variants", 1) for job in jobs)
        shard = Shard(
            id=f"{name}-0000-{len(self.shards):04d}-{identity.digest(jobs)[:8]}", kind=name, group=["tiny"],
            items=items, reused=len(reused), partition=0, row_group=len(self.groups),
        )  # fmt: skip
        self.shards.append(shard)
        none = {"part": None, "row": 0, "files": []}
        self.groups.append(
            [
                {
                    "shard": shard.id,
                    "job": orjson.dumps(job),
                    "keys": [f"{job['job_id']}{v}" for v in range(job.get("variants", 1))],
                    "first_attempts": [0] * job.get("variants", 1),
                    "reuse": [none if (job["job_id"], v) in reused else None for v in range(job.get("variants", 1))],
                }
                for job in jobs
            ]
        )
        if not done:
            return
        objects = list(files)
        part = rejected = None
        if rows:
            plug = kind(name)
            objects.append(self.table(f"{plug.folder}/part-{shard.id}.parquet", rows, plug.schema))
            part = objects[-1].key
        if refused:
            objects.append(self.table(f"rejected/part-{shard.id}.parquet", refused, rejects.REJECTED))
            rejected = objects[-1].key
        rules: dict[str, int] = {}
        for row in refused:
            rules[row["rule"]] = rules.get(row["rule"], 0) + 1
        accepted = len(rows) + len(data_sets)
        self.commits.append(
            Commit(
                run_id=self.run, shard=shard.id, kind=name, part=part, rejected=rejected, objects=objects,
                data_sets=list(data_sets), shortfall=list(shortfall), requested=items, accepted=accepted,
                reused=len(reused), made=accepted - len(reused) + len(refused), refused=len(refused), refusals=rules,
                rows=sum(made.rows for made in data_sets), tokens=sum(row.get("tokens") or 0 for row in rows),
                seconds=seconds,
                numerics={"device": "cpu", "dtype": "float32", "threads": 2, "torch": "2.13", "machine": "x86_64"},
            )
        )  # fmt: skip

    def fit(self) -> str:
        """A fit shard without outputs."""
        key = identity.digest("fit")
        shard = Shard(
            id=f"fit-{key[:16]}", kind="records", group=["table", "x"], items=0, reused=0,
            fit=FitTask(key=key, inputs={}, source="adult.parquet", sha256=key, steps=10),
        )  # fmt: skip
        self.shards.append(shard)
        self.commits.append(Commit(run_id=self.run, shard=shard.id, kind="records", seconds=41.0))
        return shard.id

    def set_aside(self, rows: list[Quarantined]) -> None:
        """Quarantined spec rows."""
        table = rejects.of_specs(rows)
        made = self.table(
            f"rejected/part-specs-{len(self.quarantined):04d}.parquet", table.to_pylist(), rejects.REJECTED
        )
        self.quarantined.append(Stored(key=made.key, sha256=made.sha256, size=made.size, rows=len(rows)))
        self.aside += len(rows)

    def freeze(self) -> Plan:
        """Write plan and commits."""
        buffer = io.BytesIO()
        with pq.ParquetWriter(buffer, JOBS) as writer:
            for group in self.groups:
                writer.write_table(pa.Table.from_pylist(group, schema=JOBS), row_group_size=max(1, len(group)))
        part = self.put("_plan/part-0000.parquet", buffer.getvalue())
        jobs = sum(len(group) for group in self.groups)
        counts: dict[str, list[int]] = {}
        for shard in self.shards:
            entry = counts.setdefault(shard.kind, [0, 0])
            entry[0] += shard.items
            entry[1] += shard.reused
        plan = Plan(
            run_id=self.run,
            intent=identity.digest(self.run),
            settings={"seed": 0, "copy_model": "starter-copy", "copy_batch": 32, "dtype": "float32", "engines": {}},
            rules={name: identity.digest(name) for name in counts},
            models={"starter-copy": identity.digest("c"), "starter-image": identity.digest("i")},
            meta={},
            specs={"rows": jobs + self.aside, "valid": jobs, "quarantined": self.aside},
            items={name: Counts(requested=n, reused=r) for name, (n, r) in counts.items()},
            partitions={0: Stored(key=part.key, sha256=part.sha256, size=part.size, rows=jobs)},
            quarantined=self.quarantined,
            shards=self.shards,
        )
        self.store.put(f"{self.run}/{PLAN}", orjson.dumps(plan.model_dump(mode="json")))
        for record in self.commits:
            commit(self.store, record)
        return plan


def checks(**failed: str) -> list[dict[str, Any]]:
    """A list of checks as parts hold them."""
    rules = ("length", "required_terms", "banned_terms", "numbers", "language", "repetition")
    return [
        {"rule": r, "version": 1, "verdict": "accept", "score": 0.91 if r == "language" else None, "reason": ""}
        for r in rules
    ] + [{"rule": r, "version": 1, "verdict": "retry", "score": None, "reason": why} for r, why in failed.items()]


def text_row(job_id: str, variant: int, channel: str | None, fields: dict[str, str], **more: Any) -> dict[str, Any]:
    """A row of a copy part."""
    return {
        "job_id": job_id, "variant": variant, "channel": channel, "locale": "en-US", "text": "\n".join(fields.values()),
        "fields": [{"name": name, "text": text} for name, text in fields.items()], "seed": 4711, "attempts": 1,
        "tokens": 212, "model": "starter-copy", "content_key": f"{job_id}{variant}", "checks": checks(), **more,
    }  # fmt: skip


def painted(seed: int, side: int = 256) -> bytes:
    """A picture of a round thing on a lit ground, as PNG."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    ground, thing = rng.uniform(120, 240, 3), rng.uniform(20, 220, 3)
    pixels = ground * (1.05 - 0.35 * y[..., None])
    inside = ((x - 0.5) ** 2 + (y - 0.56) ** 2 < 0.075)[..., None]
    light = np.clip(1.35 - 1.3 * np.hypot(x - 0.4, y - 0.4), 0.4, 1.35)[..., None]
    pixels = np.where(inside, thing * light, pixels) + rng.normal(0, 2, pixels.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def picture_row(press: Press, job_id: str, variant: int, prompt: str, seed: int) -> tuple[dict[str, Any], Object]:
    """A row of an image part, and its stored file."""
    made = press.put(f"files/{job_id}/{variant}-{seed:08x}.png", painted(seed))
    row = {
        "job_id": job_id, "variant": variant, "uri": made.key, "width": 256, "height": 256, "format": "png",
        "sha256": made.sha256, "phash": "00ff", "prompt": prompt, "seed": seed, "attempts": 1 + seed % 2,
        "model": "starter-image", "content_key": f"{job_id}{variant}",
        "checks": checks()[:2],
    }  # fmt: skip
    return row, made


def refused(
    name: str, job_id: str, rule: str, reason: str, attempt: int = 0, output: str | None = None
) -> dict[str, Any]:
    """A row of a rejected part."""
    return {
        "job_id": job_id, "variant": 0, "kind": name, "stage": "judge", "rule": rule, "reason": reason,
        "attempt": attempt, "output": output,
    }  # fmt: skip


def quality(job_id: str, tag: str = "") -> dict[str, Any]:
    """A quality object, as the records kind writes it."""
    rng = np.random.default_rng(SEED)
    ages, made = rng.normal(42, 12, 4000), rng.normal(42.5, 12.4, 4000)
    edges = [float(e) for e in np.linspace(17, 90, 25)]
    labels = [f"Private{tag}", "Self-emp-not-inc", "Local-gov", "State-gov", "Never-worked"]
    return {
        "job_id": job_id, "variant": 0, "rows": 4000,
        "figures": {
            "shape": 0.987, "trend": 0.953, "trend_shared": 0.949, "nulls": 0.999, "copy_rate": 0.012,
            "c2st": 0.874, "tstr": 0.981, "density": 0.958, "coverage": 0.944, "nulls_together": 0.997,
            "floor": {"shape": 0.981, "trend": 0.871, "trend_shared": 0.868, "nulls": 0.998, "c2st": 0.021,
                      "tstr": 0.412, "density": 0.152, "coverage": 0.374, "nulls_together": 0.962},
            "ceiling": {"shape": 0.994, "trend": 0.978, "trend_shared": 0.975, "nulls": 0.999, "copy_rate": 0.014,
                        "c2st": 0.996, "tstr": 0.995, "density": 1.0, "coverage": 0.969, "nulls_together": 0.999},
            "betrayal": [{"name": f"age{tag}", "alone": 0.041, "within": 0.088},
                         {"name": "workclass", "alone": 0.022, "within": 0.013}],
            "utility": [
                {"target": f"income{tag}", "measure": "auc", "synthetic": 0.905, "real": 0.921, "floor": 0.503,
                 "ceiling": 0.919},
                {"target": "age", "measure": "r2", "synthetic": 0.318, "real": 0.341, "floor": 0.0, "ceiling": 0.336},
            ],
            "columns": [
                {"name": f"age{tag}", "type": "int64", "kind": "number", "shape": 0.991, "edges": edges,
                 "nulls": {"source": 0.0, "synthetic": 0.0},
                 "source": [None if 0 < n < 10 else int(n) for n in np.histogram(ages, edges)[0]],
                 "synthetic": np.histogram(made, edges)[0].tolist()},
                {"name": "workclass", "type": f"string{tag}", "kind": "category", "shape": 0.978, "labels": labels,
                 "nulls": {"source": 0.056, "synthetic": 0.054},
                 "source": [2800, 610, 380, 207, 3], "synthetic": [2750, 640, 395, 210, 5]},
                {"name": "note", "type": "string", "kind": "text", "shape": None,
                 "nulls": {"source": 0.0, "synthetic": 0.0}},
            ],
        },
        "constraints": [
            {"rule": f"age ≤ retired{tag}", "violations": 0.0, "source": 0.0312},
            {"rule": "city, country as in the source", "violations": 0.0, "source": 0.0},
        ],
        "acceptance": 0.9412,
        "parent": {"job": f"players{tag}", "orphans": 0, "out_of_order": 0,
                   "children_per_parent": {"ks": 0.0134, "source": 5.41, "synthetic": 5.37}},
        "checks": [{"rule": f"copy_rate{tag}", "verdict": "accept", "score": 0.012, "reason": f"as it should be{tag}"}],
    }  # fmt: skip


def showcase(
    store: Store,
    run: str = "autumn-2026-11-21",
    *,
    finished: bool = True,
    goods: Sequence[str] = GOODS,
    jobs: int = 14,
    tag: str = "",
) -> Plan:
    """A run with everything in it: texts of several channels, pictures, a data set, refusals, rows set aside.

    `tag` is written wherever a text from outside can stand.
    """
    press = Press(store, run)
    _texts(press, goods, jobs, tag)
    _pictures(press, goods, tag, done=finished)
    press.fit()
    _records(press, tag, done=finished)
    why = "“produkt_page” is no channel"
    press.set_aside(
        [
            Quarantined(
                f"specs/autumn.parquet{tag}", 17, f"chair{tag}", "copy", "max_chars", f"is too small{tag}", tag
            ),
            Quarantined("specs/autumn.parquet", 31, "x", "copy", f"channel{tag}", why, "write product_page"),
        ]
    )
    plan = press.freeze()
    if finished:
        finish(store, plan, name="autumn")
    return plan


def _texts(press: Press, goods: Sequence[str], number: int, tag: str) -> None:
    rng = random.Random(SEED)
    jobs: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for i in range(number):
        name = goods[i % len(goods)]
        job_id, channel = f"{slug(name)}-{i:03d}", ("product_page", "search_ad", "sms", "email")[i % 4]
        jobs.append(
            {"job_id": job_id, "kind": "copy", "variants": 2, "channel": channel, "product_name": name,
             "brand_name": f"Tidewell{tag}", "features": ["hand-glazed stoneware", f"keeps coffee warm{tag}"],
             "facts": {f"capacity{tag}": f"350 ml{tag}", "price": "$18"}, "audience": "people who work from home"}
        )  # fmt: skip
        for variant in range(2):
            if (i, variant) != (5, 1):
                fields = _fields(
                    name + tag, channel, rng.choice(["Slow mornings deserve a", "Meet the", "Here is the"])
                )
                rows.append(text_row(job_id, variant, channel, fields, attempts=1 + (i + variant) % 3))
        if i % 2:
            rule, reason = [
                ("numbers", "“500 ml” is backed by no fact"),
                ("length", "headline_2 has 34 characters; 30 are allowed"),
                ("banned", "contains “cheap”"),
                (f"claims{tag}", f"“guaranteed” is no fact{tag}"),
            ][i // 2 % 4]
            bad.append(refused("copy", job_id, rule, reason, output=f"{name}: cheap stoneware, holds 500 ml.{tag}"))
    lost = jobs[5]["job_id"]
    bad += [
        refused("copy", lost, "near_duplicate", "0.97 like variant 0; at most 0.85", attempt, "the same text")
        | {"variant": 1}
        for attempt in range(4)
    ]
    press.shard(
        "copy", jobs, rows, bad, reused={(jobs[0]["job_id"], 0), (jobs[0]["job_id"], 1)}, seconds=33.4,
        shortfall=[Short(job_id=lost, variant=1, content_key="k", attempts=4)],
    )  # fmt: skip


def _fields(name: str, channel: str, opening: str) -> dict[str, str]:
    body = f"{opening} {name}. Hand-glazed stoneware holds 350 ml and keeps coffee warm while the inbox fills. $18."
    return {
        "product_page": {"title": f"{name} by Tidewell", "body": body},
        "search_ad": {
            "headline_1": name,
            "headline_2": "Keeps Coffee Warm",
            "headline_3": "Hand-Glazed Stoneware",
            "description_1": "Stoneware that keeps 350 ml of coffee warm all morning. $18.",
            "description_2": "Dishwasher safe, hand-glazed, made to last.",
        },
        "sms": {"text": f"Tidewell: the {name} is back. Hand-glazed, 350 ml, $18. Reply STOP to opt out."},
        "email": {"subject": f"Your new favourite: {name}", "preheader": "Warm coffee, calm mornings.", "body": body},
    }[channel]


def _pictures(press: Press, goods: Sequence[str], tag: str, *, done: bool) -> None:
    jobs: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    files: list[Object] = []
    for i, name in enumerate(goods):
        job_id = f"{slug(name)}-{i}-picture"
        jobs.append({"job_id": job_id, "kind": "image", "variants": 2, "product_name": name})
        for variant in range(2):
            prompt = f"a {name.lower()}, stoneware, on a table, soft light{tag}"
            row, made = picture_row(press, job_id, variant, prompt, 2 * i + variant)
            rows.append(row)
            files.append(made)
    bad = [refused("image", jobs[0]["job_id"], "image.one_colour", "98 % of the pixels have one colour")]
    press.shard("image", jobs, rows, bad, files, seconds=72.25, done=done)


def _records(press: Press, tag: str, *, done: bool) -> None:
    table = press.table("records/customers/0/part-0000.parquet", [{"age": 3}], pa.schema([("age", pa.int64())]))
    figures = press.put("quality/customers-0.json", orjson.dumps(quality("customers", tag)))
    made = DataSet(job_id="customers", variant=0, content_key="d", files=[table.key, figures.key], rows=4000)
    job = {"job_id": "customers", "kind": "records", "source": "adult.parquet"}
    press.shard("records", [job], [], files=[table, figures], data_sets=[made], seconds=8.75, done=done)


def slug(name: str) -> str:
    """A job id from a name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "nameless"
