"""Checking a run again: every object, hash, row count, and that the counts agree with the tables."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import identity
from tasks.commit import Commit, Object, commit_key, done_shards
from tasks.manifest import Unfinished, commits_of, load_manifest
from tasks.plan.freeze import PLAN, load_plan
from tasks.store import NotFound, Store
from tasks.writer import LEASE

READERS = 8
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
    plan = load_plan(store, run)
    if plan is None:
        raise NotFound(
            f"{store.join(run)} holds no run: there is no {PLAN} in it. `pressrun runs` lists those there are"
        )
    manifest = load_manifest(store, run)
    findings = Findings(run, finished=manifest is not None)
    seen = {f"{run}/{PLAN}"}
    with ThreadPoolExecutor(READERS) as pool:

        def check(objects: Iterator[Object]) -> None:
            for made, problem in pool.map(lambda o: (o, _problem(store, run, o)), objects):
                findings.objects += 1
                findings.bytes += made.size
                seen.add(f"{run}/{made.key}")
                if problem:
                    findings.problems.append(problem)

        check(
            Object(key=s.key, sha256=s.sha256, size=s.size, rows=s.rows)
            for s in [*plan.partitions.values(), *plan.quarantined]
        )
        shards = [shard.id for shard in plan.shards]
        if manifest is None:
            standing = done_shards(store, run)
            shards = [shard for shard in shards if shard in standing]
        else:
            seen.add(f"{run}/manifest.json")
            _compare_plan(store, run, manifest, shards, findings)
        try:
            for record, sha256 in commits_of(store, run, shards):
                seen.add(commit_key(run, record.shard))
                check(iter(record.objects))
                _check_commit(store, record, findings)
                if manifest is not None and manifest["commits"].get(record.shard) != sha256:
                    findings.problems.append(f"{commit_key(run, record.shard)} is not the commit the manifest names")
        except Unfinished as error:
            findings.problems.append(str(error))
    findings.strays = [
        entry.key
        for entry in store.list(f"{run}/")
        if entry.key not in seen and not entry.key.removeprefix(f"{run}/").startswith(UNLISTED)
    ]
    return findings


def _problem(store: Store, run: str, made: Object) -> str | None:
    """What is wrong with an object, or None."""
    key = f"{run}/{made.key}"
    try:
        data = store.get(key)
    except NotFound:
        return f"{key} is missing"
    if len(data) != made.size:
        return f"{key} has {len(data)} bytes instead of {made.size}"
    if identity.sha256(data) != made.sha256:
        return f"{key} has other content than was committed"
    if made.key.endswith(".parquet"):
        try:
            rows = pq.read_metadata(io.BytesIO(data)).num_rows
        except pa.ArrowInvalid as error:
            return f"{key} is no readable Parquet file: {error}"
        if made.rows is not None and rows != made.rows:
            return f"{key} has {rows} rows instead of {made.rows}"
    return None


def _check_commit(store: Store, record: Commit, findings: Findings) -> None:
    """The counts of a commit against its part."""
    rows = {o.key: o.rows or 0 for o in record.objects}
    findings.rows += record.rows
    stored = rows.get(record.part, 0) if record.part else len(record.data_sets)
    if record.accepted != stored:
        findings.problems.append(f"shard {record.shard} counts {record.accepted} accepted items but stores {stored}")
    if record.accepted + len(record.shortfall) != record.requested:
        findings.problems.append(f"shard {record.shard}: accepted and shortfall do not add up to what was requested")
    if record.part is not None:
        key = f"{record.run_id}/{record.part}"
        try:
            table = pq.read_table(io.BytesIO(store.get(key)), columns=["job_id", "variant"])
        except (NotFound, pa.ArrowInvalid):
            return  # reported with the object
        if table.group_by(["job_id", "variant"]).aggregate([]).num_rows != table.num_rows:
            findings.problems.append(f"{key} holds an item twice")


def _compare_plan(store: Store, run: str, manifest: dict[str, Any], shards: list[str], findings: Findings) -> None:
    if identity.sha256(store.get(f"{run}/{PLAN}")) != manifest["digests"]["plan"]:
        findings.problems.append(f"{run}/{PLAN} is not the plan the manifest names")
    if sorted(shards) != sorted(manifest["commits"]):
        findings.problems.append("the manifest's commits are not those of the plan's shards")
    items = manifest["items"]
    if items["accepted"] + items["shortfall"] != items["requested"]:
        findings.problems.append("the manifest's accepted and shortfall do not add up to what was requested")
