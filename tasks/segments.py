"""Index segments: where the items of a run stand, as a Parquet file. Each can be rebuilt from commits."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import identity
from tasks.commit import Commit, load_commit
from tasks.store import Store

RUNS = "_index/runs/"
SEGMENTS = "_index/keys/"
READERS = 16

FILES = pa.list_(
    pa.struct(
        [
            pa.field("key", pa.string()),
            pa.field("sha256", pa.string()),
            pa.field("size", pa.int64()),
            pa.field("rows", pa.int64()),
        ]
    )
)
SEGMENT = pa.schema(
    [
        pa.field("bucket", pa.uint8()),
        pa.field("key", pa.string()),
        pa.field("part", pa.dictionary(pa.int32(), pa.string())),
        pa.field("row", pa.int64()),
        pa.field("files", FILES),
    ]
)


def known_runs(store: Store) -> list[str]:
    """The runs of a store, newest first."""
    notes = sorted(store.list(RUNS), key=lambda entry: (entry.modified, entry.key), reverse=True)
    return [note.key.removeprefix(RUNS).removesuffix(".json") for note in notes]


def in_buckets(buckets: range) -> pc.Expression:
    """The filter for the rows of `buckets`; row groups that hold none are not read."""
    if buckets.stop > 255:
        return pc.field("bucket") >= buckets.start
    return (pc.field("bucket") >= buckets.start) & (pc.field("bucket") < buckets.stop)


def write_segment(store: Store, run: str, shards: Iterable[str], path: Path) -> None:
    """Collect where the items of `shards` stand into a local Parquet file. A shard is one row group."""
    with pq.ParquetWriter(path, SEGMENT, compression="zstd") as writer, ThreadPoolExecutor(READERS) as pool:
        for tables in _batched(shards, READERS):
            for table in pool.map(lambda shard: _entries_of(store, run, shard), tables):
                if table is not None:
                    writer.write_table(table)


def _batched(shards: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(shards)
    while batch := list(islice(rest, size)):
        yield batch


def _entries_of(store: Store, run: str, shard: str) -> pa.Table | None:
    """Where a committed shard's items stand, sorted."""
    record = load_commit(store, run, shard)
    if record is None or not (table := _entries(store, run, record)).num_rows:
        return None
    return table.sort_by([("bucket", "ascending"), ("key", "ascending")])


def _entries(store: Store, run: str, record: Commit) -> pa.Table:
    objects = {made.key: made for made in record.objects}

    def stored(names: Iterable[str]) -> list[dict[str, Any]]:
        return [{**objects[name].model_dump(), "key": f"{run}/{name}"} for name in names]

    rows: list[dict[str, Any]] = []
    if record.fitted is not None:
        rows.append(
            {"bucket": 0, "key": record.fitted.key, "part": None, "row": -1, "files": stored(record.fitted.files)}
        )
    rows.extend(
        {
            "bucket": identity.bucket(made.job_id),
            "key": made.content_key,
            "part": None,
            "row": -1,
            "files": stored(made.files),
        }
        for made in record.data_sets
    )
    if record.part is not None:
        part = f"{run}/{record.part}"
        file = pq.ParquetFile(io.BytesIO(store.get(part)))
        names = ["job_id", "content_key"] + (["uri"] if "uri" in file.schema_arrow.names else [])
        rows.extend(
            {
                "bucket": identity.bucket(entry["job_id"]),
                "key": entry["content_key"],
                "part": part,
                "row": row,
                "files": stored([entry["uri"]] if "uri" in entry else []),
            }
            for row, entry in enumerate(file.read(columns=names).to_pylist())
        )
    return pa.Table.from_pylist(rows, schema=SEGMENT)
