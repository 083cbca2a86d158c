"""Checking a run again: every object, hash, row count, and that the counts agree with the tables."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import identity
from tasks.commit import Commit, Object, commit_key
from tasks.manifest import FATES, Totals, load_manifest
from tasks.plan.freeze import PLAN, load_plan
from tasks.plan.model import Plan, Shard
from tasks.store import NotFound, Store
from tasks.writer import LEASE

T = TypeVar("T")

READERS = 8
IN_MEMORY = 32 << 20  # bytes; larger objects are checked on disk
# Written for people after the manifest, or again at will, or while somebody writes: not part of what is checked.
UNLISTED = ("report/", LEASE)


@dataclass(slots=True)
class Findings:
    """What a check of a run found; `problems` are for people, empty when the run is clean."""

    run_id: str
    finished: bool
    objects: int = 0
    bytes: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def verify(store: Store, run: str) -> Findings:
    """Read everything that `run` refers to. Raises `NotFound` when there is no such run."""
    findings = Findings(run, finished=False)
    seen = {f"{run}/{PLAN}", f"{run}/manifest.json"}
    plan = _read(findings, f"{run}/{PLAN}", lambda: load_plan(store, run))
    if plan is None and not findings.problems:
        raise NotFound(
            f"{store.join(run)} holds no run: there is no {PLAN} in it. `pressrun runs` lists those there are"
        )
    manifest = _read(findings, f"{run}/manifest.json", lambda: load_manifest(store, run))
    findings.finished = manifest is not None
    if plan is None:
        return findings
    totals = Totals()
    with ThreadPoolExecutor(READERS) as pool:

        def check(objects: Sequence[Object]) -> None:
            for made, problem in zip(objects, pool.map(partial(_problem, store, run), objects), strict=True):
                findings.objects += 1
                findings.bytes += made.size
                seen.add(f"{run}/{made.key}")
                if problem:
                    findings.problems.append(problem)

        stored = [*plan.partitions.values(), *plan.quarantined]
        check([Object(key=s.key, sha256=s.sha256, size=s.size, rows=s.rows) for s in stored])
        for start in range(0, len(plan.shards), READERS):
            shards = plan.shards[start : start + READERS]
            records = []
            for shard, data in zip(shards, pool.map(partial(_commit_of, store, run), shards), strict=True):
                key = commit_key(run, shard.id)
                seen.add(key)
                if data is None:
                    if manifest is not None:
                        findings.problems.append(f"{key} is missing")
                    continue
                if manifest is not None and manifest["commits"].get(shard.id) != identity.sha256(data):
                    findings.problems.append(f"{key} is not the commit the manifest names")
                record = _read(findings, key, partial(Commit.model_validate_json, data))
                if record is not None:
                    records.append((shard, record))
            check([made for _, record in records for made in record.objects])
            for shard, record in records:
                _check_commit(store, shard, record, findings)
                totals.add(record)
    if manifest is not None:
        _compare(store, plan, manifest, totals, findings)
    findings.strays = [
        entry.key
        for entry in store.list(f"{run}/")
        if entry.key not in seen and not entry.key.removeprefix(f"{run}/").startswith(UNLISTED)
    ]
    return findings


def _read(findings: Findings, key: str, load: Callable[[], T]) -> T | None:
    """What `load` reads, or None with a problem noted: a file that is damaged must not stop the check of the others."""
    try:
        return load()
    except ValueError as error:
        findings.problems.append(f"{key} cannot be read: {str(error).splitlines()[0]}")
        return None


def _commit_of(store: Store, run: str, shard: Shard) -> bytes | None:
    try:
        return store.get(commit_key(run, shard.id))
    except NotFound:
        return None


def _problem(store: Store, run: str, made: Object) -> str | None:
    """What is wrong with an object, or None."""
    key = f"{run}/{made.key}"
    try:
        if made.size > IN_MEMORY:
            with tempfile.TemporaryDirectory(prefix="pressrun-") as folder:
                path = Path(folder) / "object"
                store.download(key, path)
                with path.open("rb") as file:
                    return _content_problem(key, made, file, path.stat().st_size)
        data = store.get(key)
    except NotFound:
        return f"{key} is missing"
    return _content_problem(key, made, io.BytesIO(data), len(data))


def _content_problem(key: str, made: Object, file: Any, size: int) -> str | None:
    if size != made.size:
        return f"{key} has {size} bytes instead of {made.size}"
    if hashlib.file_digest(file, "sha256").hexdigest() != made.sha256:
        return f"{key} has other content than was committed"
    if made.key.endswith(".parquet"):
        try:
            rows = pq.read_metadata(file).num_rows
        except (pa.ArrowException, OSError) as error:
            return f"{key} is no readable Parquet file: {error}"
        if made.rows is not None and rows != made.rows:
            return f"{key} has {rows} rows instead of {made.rows}"
    return None


def _check_commit(store: Store, shard: Shard, record: Commit, findings: Findings) -> None:
    """The counts of a commit against its plan and its part."""
    name, rows = record.shard, {o.key: o.rows or 0 for o in record.objects}
    findings.rows += record.rows
    stored = rows.get(record.part, 0) if record.part else len(record.data_sets)
    if (name, record.run_id, record.requested) != (shard.id, findings.run_id, shard.items):
        findings.problems.append(f"the commit of shard {shard.id} is not of the shard that was planned")
    if record.accepted != stored:
        findings.problems.append(f"shard {name} counts {record.accepted} accepted items but stores {stored}")
    if record.accepted + len(record.shortfall) != record.requested:
        findings.problems.append(f"shard {name}: accepted and shortfall do not add up to what was requested")
    if record.part is not None:
        key = f"{findings.run_id}/{record.part}"
        try:
            table = pq.read_table(io.BytesIO(store.get(key)), columns=["job_id", "variant"])
        except (NotFound, pa.ArrowException, OSError):
            return  # reported with the object
        if table.group_by(["job_id", "variant"]).aggregate([]).num_rows != table.num_rows:
            findings.problems.append(f"{key} holds an item twice")


def _compare(store: Store, plan: Plan, manifest: dict[str, Any], totals: Totals, findings: Findings) -> None:
    """The manifest against the plan and against what the commits add up to."""
    run = findings.run_id
    if identity.sha256(store.get(f"{run}/{PLAN}")) != manifest["digests"]["plan"]:
        findings.problems.append(f"{run}/{PLAN} is not the plan the manifest names")
    if sorted(shard.id for shard in plan.shards) != sorted(manifest["commits"]):
        findings.problems.append("the manifest's commits are not those of the plan's shards")
    items = manifest["items"]
    if items["accepted"] + items["shortfall"] != items["requested"]:
        findings.problems.append("the manifest's accepted and shortfall do not add up to what was requested")
    stated = {fate: items[fate] for fate in FATES} | {
        "made": manifest["candidates"]["made"],
        "rejected": manifest["candidates"]["rejected"],
        "rows": manifest["rows"],
        "tokens": manifest["tokens"],
    }
    for what, count in totals.run.items():
        if stated[what] != count:
            findings.problems.append(f"the manifest counts {stated[what]} {what} where the commits add up to {count}")
    kinds = {kind: {fate: counts[fate] for fate in FATES} for kind, counts in totals.kinds.items()}
    if any(items["kinds"].get(kind) != counts for kind, counts in kinds.items()):
        findings.problems.append("the manifest's counts by kind are not what the commits add up to")
