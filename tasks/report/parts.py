"""Reading a few rows of what a run stored, without reading all of it into memory."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pyarrow.parquet as pq

from tasks.plan.model import Plan, Shard
from tasks.store import Store

BATCH = 64

T = TypeVar("T")


def rows_of(
    store: Store, key: str, scratch: Path, columns: Sequence[str] | None = None
) -> Generator[dict[str, Any], None, None]:
    """The rows of a Parquet object, a few at a time. The local copy goes when the reader is done or gives up."""
    path = scratch / f"report-{uuid.uuid4().hex}.parquet"
    try:
        store.download(key, path)
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, columns=columns):
                yield from batch.to_pylist()
    finally:
        path.unlink(missing_ok=True)


def spread(things: Sequence[T], most: int) -> list[T]:
    """At most `most` of `things`, evenly spread, in their order."""
    if len(things) <= most:
        return list(things)
    return [things[i * len(things) // most] for i in range(most)]


class Asked:
    """The jobs as they were asked for, from the plan's partition files; the last partition read is kept."""

    def __init__(self, store: Store, plan: Plan, scratch: Path) -> None:
        self._store = store
        self._plan = plan
        self._path = scratch / f"report-{uuid.uuid4().hex}.parquet"
        self._held: int | None = None

    def jobs(self, shard: Shard) -> dict[str, tuple[dict[str, Any], set[int]]]:
        """By job id: the columns that were filled in, and which variants were made before."""
        if self._held != shard.partition:
            stored = self._plan.partitions[shard.partition]
            self._store.download(f"{self._plan.run_id}/{stored.key}", self._path)
            self._held = shard.partition
        with pq.ParquetFile(self._path) as file:
            table = file.read_row_group(shard.row_group, columns=["job", "reuse"]).to_pylist()
        jobs = ((orjson.loads(row["job"]), row["reuse"]) for row in table)
        return {job["job_id"]: (job, {v for v, old in enumerate(reuse) if old}) for job, reuse in jobs}

    def close(self) -> None:
        """Remove the local copy."""
        self._path.unlink(missing_ok=True)
