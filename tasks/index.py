"""The index of what a store's runs have made: content key → where the item stands. It can be rebuilt from commits.

Every run leaves a create-only note under `_index/runs/`; a finished run also leaves a segment, a Parquet file sorted by
hash bucket, so that one plan partition reads one range of it. A run without a segment is read from its commits.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import identity
from tasks.commit import Commit, done_shards, load_commit
from tasks.plan.model import Plan, Reuse, StoredFile
from tasks.store import NotFound, Store

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


def announce(store: Store, run: str) -> None:
    """Make a run known to later ones."""
    store.create(f"{RUNS}{run}.json", b"{}")


def known_runs(store: Store) -> list[str]:
    """The runs of a store, newest first."""
    notes = sorted(store.list(RUNS), key=lambda entry: (entry.modified, entry.key), reverse=True)
    return [note.key.removeprefix(RUNS).removesuffix(".json") for note in notes]


class Index:
    """What the runs of a store have made. Segments are fetched when a search first needs them."""

    def __init__(self, store: Store, scratch: Path) -> None:
        self._store = store
        self._scratch = scratch / "index"
        self._scratch.mkdir(exist_ok=True)
        self._runs: list[str] | None = None
        self._segments: dict[str, Path] = {}

    def find(self, keys: set[str], buckets: range) -> dict[str, Reuse]:
        """Where those of `keys` stand whose jobs are filed in `buckets`. Newer runs come first."""
        found: dict[str, Reuse] = {}
        wanted = set(keys)
        if not wanted:
            return found
        if self._runs is None:
            self._runs = known_runs(self._store)
        for run in self._runs:
            if not wanted:
                break
            for key, reuse in self._search(run, wanted, buckets):
                found[key] = reuse
                wanted.discard(key)
        return found

    def _search(self, run: str, wanted: set[str], buckets: range) -> Iterator[tuple[str, Reuse]]:
        filters = (pc.field("bucket") >= buckets.start) & (pc.field("bucket") < buckets.stop)
        if buckets.stop > 255:
            filters = pc.field("bucket") >= buckets.start
        table = pq.read_table(self._segment(run), filters=filters, schema=SEGMENT)
        hits = table.filter(pc.is_in(table["key"], pa.array(sorted(wanted), pa.string())))
        for row in hits.to_pylist():
            yield row["key"], as_reuse(row)

    def _segment(self, run: str) -> Path:
        if run not in self._segments:
            path = self._scratch / f"{run}.parquet"
            with suppress(NotFound):
                self._store.download(f"{SEGMENTS}{run}.parquet", path)
            if not path.exists():
                write_segment(self._store, run, sorted(done_shards(self._store, run)), path)
            self._segments[run] = path
        return self._segments[run]


def publish_segment(store: Store, plan: Plan, scratch: Path) -> None:
    """Write the segment of a run whose shards are all committed, once."""
    path = scratch / f"segment-{plan.run_id}.parquet"
    write_segment(store, plan.run_id, [shard.id for shard in plan.shards], path)
    store.put(f"{SEGMENTS}{plan.run_id}.parquet", path)


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


def as_reuse(row: Mapping[str, Any]) -> Reuse:
    """A row of a segment, or of a plan's `reuse` column, as a `Reuse`."""
    return Reuse(row["part"], row["row"], [StoredFile(**file) for file in row["files"]])


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
