"""Freezing a plan: look up what was made before, cut shards, write the plan create-only.

Partition files go first, `plan.json` last: a plan stands whole or not at all, and the first one written wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tasks import identity, rejects
from tasks.index import Index, as_reuse
from tasks.kinds import kind as kind_named
from tasks.kinds.base import Desk
from tasks.plan.draft import Draft, Entry
from tasks.plan.model import Counts, FitTask, Item, Plan, PlannedJob, Reuse, Shard, Stored
from tasks.segments import FILES
from tasks.store import NotFound, Store

PLAN = "_plan/plan.json"
QUARANTINE_ROWS_PER_PART = 100_000

_REUSE = pa.struct(
    [
        pa.field("part", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("files", FILES),
    ]
)
JOBS = pa.schema(
    [
        pa.field("shard", pa.string()),
        pa.field("job", pa.binary()),
        pa.field("keys", pa.list_(pa.string())),
        pa.field("first_attempts", pa.list_(pa.int32())),
        pa.field("reuse", pa.list_(_REUSE)),
        pa.field("sources", pa.map_(pa.string(), pa.string())),
    ]
)


class PlanConflict(Exception):
    """The run id stands for another plan: other specs, or other settings that affect output."""


def load_plan(store: Store, run: str) -> Plan | None:
    """The frozen plan of a run, or None."""
    try:
        return Plan.model_validate_json(store.get(f"{run}/{PLAN}"))
    except NotFound:
        return None


def freeze(
    draft: Draft,
    desk: Desk,
    store: Store,
    run: str,
    index: Index,
    *,
    first_attempts: Mapping[str, int] | None = None,
    retry_of: str | None = None,
) -> Plan:
    """Write the plan of `run` to the store, unless one stands already; return the one that stands.

    `first_attempts` continues the attempt numbers of items (by content key) that an earlier run gave up.
    Raises `PlanConflict` when the plan that stands was made from other specs or settings.
    """
    if standing := load_plan(store, run):
        return _agree(standing, draft)
    plan = cut(draft, desk, index, run, first_attempts or {}, retry_of)
    for part in [*plan.partitions.values(), *plan.quarantined]:
        store.put(f"{run}/{part.key}", draft.folder / part.key)
    if store.create(f"{run}/{PLAN}", orjson.dumps(plan.model_dump(mode="json"), option=orjson.OPT_INDENT_2)):
        return plan
    standing = load_plan(store, run)
    assert standing is not None
    return _agree(standing, draft)


def cut(
    draft: Draft, desk: Desk, index: Index, run: str, first_attempts: Mapping[str, int], retry_of: str | None = None
) -> Plan:
    """Cut the draft into shards and write its partition files under the draft's folder; touch no store but to read."""
    shards: list[Shard] = []
    homes: dict[str, str] = {}  # the shards of jobs that make data sets
    parted = _parted(draft, index)
    partitions: dict[int, Stored] = {}
    counts = {kind: [0, 0] for kind in sorted(draft.items)}
    for number in range(draft.partitions):
        before = len(shards)
        stored = _cut_partition(draft, desk, index, number, first_attempts, shards, homes, parted)
        if stored is not None:
            partitions[number] = stored
        for shard in shards[before:]:
            counts[shard.kind][0] += shard.items
            counts[shard.kind][1] += shard.reused
    above = {homes[c.job_id]: homes[c.parent_id] for c in draft.children if {c.job_id, c.parent_id} <= homes.keys()}
    shards = [shard.model_copy(update={"after": above.get(shard.id)}) if shard.needs else shard for shard in shards]
    return Plan(
        run_id=run,
        intent=draft.intent,
        settings=desk.settings.affecting_output(),
        rules={kind: kind_named(kind).rules_digest for kind in counts},
        models=desk.models_used(),
        meta=draft.meta,
        specs={"rows": draft.rows, "valid": draft.valid, "quarantined": draft.quarantined},
        items={kind: Counts(requested=requested, reused=reused) for kind, (requested, reused) in counts.items()},
        partitions=partitions,
        quarantined=_write_quarantine(draft),
        shards=_fits(draft, shards, index) + shards,
        retry_of=retry_of,
    )


def planned_jobs(path: Path, shard: Shard) -> Iterator[PlannedJob]:
    """The jobs of a shard, from a local copy of its partition file."""
    kind = kind_named(shard.kind)
    with pq.ParquetFile(path) as file:
        for row in file.read_row_group(shard.row_group).to_pylist():
            items = [
                Item(variant, key, first, as_reuse(reuse) if reuse else None)
                for variant, (key, first, reuse) in enumerate(
                    zip(row["keys"], row["first_attempts"], row["reuse"], strict=True)
                )
            ]
            yield PlannedJob(kind.job.model_validate(orjson.loads(row["job"])), items, dict(row["sources"]))


def _agree(standing: Plan, draft: Draft) -> Plan:
    if standing.intent != draft.intent:
        raise PlanConflict(
            f"run {standing.run_id!r} was planned from other specs or settings. "
            "Choose another --run-id, or leave it out to have one made from the content."
        )
    return standing


def _cut_partition(
    draft: Draft,
    desk: Desk,
    index: Index,
    number: int,
    first_attempts: Mapping[str, int],
    shards: list[Shard],
    homes: dict[str, str],
    parted: set[str],
) -> Stored | None:
    entries = list(draft.entries(number))
    if not entries:
        return None
    keys = {e.job_id: [identity.content_key(e.inputs, v) for v in range(e.variants)] for e in entries}
    made = index.find({key for row in keys.values() for key in row} - parted, draft.buckets(number))
    groups: dict[tuple[str, tuple[str, ...], int, bool], list[Entry]] = {}
    for entry in entries:
        kind, group = draft.groups[entry.group]
        whole = all(key in made for key in keys[entry.job_id])
        groups.setdefault((kind, tuple(group), -1 if entry.fit is None else entry.fit, whole), []).append(entry)
    path = draft.folder / "_plan" / f"part-{number:04d}.parquet"
    path.parent.mkdir(exist_ok=True)
    jobs = row_group = 0
    with pq.ParquetWriter(path, JOBS, compression="zstd") as writer:
        for (kind, group, fit, whole), members in sorted(groups.items(), key=lambda g: (g[0][0], g[0][1:])):
            for chunk in _chunks(members, desk.settings.shard_items if fit < 0 else 1):  # a data set is work enough
                ours = [key for entry in chunk for key in keys[entry.job_id]]
                mark = hashlib.sha256("".join(ours).encode()).hexdigest()[:8]
                shard = Shard(
                    id=f"{kind}-{number:04d}-{row_group:04d}-{mark}",
                    kind=kind,
                    group=list(group),
                    items=len(ours),
                    reused=sum(key in made for key in ours),
                    partition=number,
                    row_group=row_group,
                    needs=None if fit < 0 or whole else _fit_id(draft.fits[fit]["key"]),
                )
                if fit >= 0:
                    homes.update(dict.fromkeys((entry.job_id for entry in chunk), shard.id))
                shards.append(shard)
                writer.write_table(_jobs_table(shard.id, chunk, keys, first_attempts, made), row_group_size=len(chunk))
                row_group += 1
                jobs += len(chunk)
    return _content_addressed(draft.folder, path, jobs)


def _parted(draft: Draft, index: Index) -> set[str]:
    """The content keys of children that were made from another file of their parent than the one that will be reused.

    They are made again, and so are theirs: the same job made on another kind of machine may come out otherwise.
    """
    parted: set[str] = set()
    for child in draft.children:
        for variant in range(child.variants):
            key = identity.content_key(child.inputs, variant)
            above = identity.content_key(child.parent_inputs, variant)
            mine, theirs = _found(index, key, child.job_id), _found(index, above, child.parent_id)
            if mine and (theirs is None or above in parted or not _stand_together(mine, theirs, index)):
                parted.add(key)
    return parted


def _found(index: Index, key: str, job_id: str) -> Reuse | None:
    bucket = identity.bucket(job_id)
    return index.find({key}, range(bucket, bucket + 1)).get(key)


def _stand_together(mine: Reuse, theirs: Reuse, index: Index) -> bool:
    """Whether the run of one item holds all files of the other; their names tell their content."""
    run = mine.files[0].key.partition("/")[0]
    return all(index.holds(run, file.key.partition("/")[2]) for file in theirs.files)


def _jobs_table(
    shard: str,
    chunk: Sequence[Entry],
    keys: Mapping[str, list[str]],
    first_attempts: Mapping[str, int],
    made: Mapping[str, Reuse],
) -> pa.Table:
    return pa.table(
        {
            "shard": [shard] * len(chunk),
            "job": [orjson.dumps(entry.job, option=orjson.OPT_SORT_KEYS) for entry in chunk],
            "keys": [keys[entry.job_id] for entry in chunk],
            "first_attempts": [[first_attempts.get(key, 0) for key in keys[e.job_id]] for e in chunk],
            "reuse": [[_reuse_row(made.get(key)) for key in keys[e.job_id]] for e in chunk],
            "sources": [sorted(entry.sources.items()) for entry in chunk],
        },
        schema=JOBS,
    )


def _reuse_row(reuse: Reuse | None) -> dict[str, Any] | None:
    if reuse is None:
        return None
    return {"part": reuse.part, "row": reuse.row, "files": [file.model_dump() for file in reuse.files]}


def _chunks(entries: Iterable[Entry], items: int) -> Iterator[list[Entry]]:
    """Runs of jobs with about `items` items each; a job's items are never parted."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        if chunk and size + entry.variants > items:
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += entry.variants
    if chunk:
        yield chunk


def _fit_id(key: str) -> str:
    return f"fit-{key[:16]}"


def _fits(draft: Draft, shards: Sequence[Shard], index: Index) -> list[Shard]:
    """A shard for every fit that some shard needs."""
    needed = {shard.needs for shard in shards}
    fits = [fit for fit in draft.fits if _fit_id(fit["key"]) in needed]
    made = index.find({fit["key"] for fit in fits}, range(identity.BUCKETS))
    return [
        Shard(
            id=_fit_id(fit["key"]),
            kind="records",
            group=["table", identity.digest(fit["inputs"])[:12]],
            items=0,
            reused=0,
            fit=FitTask(**fit, reuse=made[fit["key"]].files if fit["key"] in made else None),
        )
        for fit in sorted(fits, key=lambda fit: fit["key"])
    ]


def _write_quarantine(draft: Draft) -> list[Stored]:
    stored = []
    rows = draft.quarantine()
    for number in range(1 + draft.quarantined // QUARANTINE_ROWS_PER_PART):
        chunk = list(islice(rows, QUARANTINE_ROWS_PER_PART))
        if not chunk:
            break
        path = draft.folder / "rejected" / f"part-specs-{number:04d}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(rejects.of_specs(chunk), path, compression="zstd")
        stored.append(_content_addressed(draft.folder, path, len(chunk)))
    return stored


def _content_addressed(folder: Path, path: Path, rows: int) -> Stored:
    data = path.read_bytes()
    sha256 = identity.sha256(data)
    named = path.rename(path.with_name(f"{path.stem}-{sha256[:8]}{path.suffix}"))
    return Stored(key=named.relative_to(folder).as_posix(), sha256=sha256, size=len(data), rows=rows)
