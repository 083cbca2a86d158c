"""Merging index segments, as log-structured stores do: eight of a level become one of the next (O'Neil et al. 1996).

A search then looks into a few segments per level, however many nights a store has seen. A merged segment names the runs
it holds and replaces nothing: the runs' own segments stay, so a merge that was killed or raced does no harm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.segments import SEGMENT, SEGMENTS, in_buckets, known_runs
from tasks.store import Entry, Store

MERGED = "_index/merged/"
FAN_IN = 8
BUCKETS_AT_ONCE = 16  # bounds memory: a sixteenth of the keys of eight segments


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged segment: its key, how often its content was merged, and the runs that it holds."""

    key: str
    level: int
    runs: tuple[str, ...]


def merged_segments(store: Store, runs: Iterable[str]) -> list[Merged]:
    """The merged segments that hold none but these runs, those of more runs last.

    A segment with a run that was deleted since is no good: of an item that several runs hold it knows but one.
    """
    known = frozenset(runs)
    return sorted((m for m in _all(store) if known.issuperset(m.runs)), key=lambda m: (len(m.runs), m.key))


def compact(store: Store, scratch: Path) -> None:
    """Merge segments while eight of a level stand side by side."""
    while True:
        runs = known_runs(store)
        merged = merged_segments(store, runs)
        standing = [one for one in merged if not _superseded(one, merged)]
        held = {run for one in merged for run in one.runs}
        keys = [entry.key for entry in store.list(SEGMENTS)]
        names = {key: key.removeprefix(SEGMENTS).removesuffix(".parquet") for key in keys}
        standing += [Merged(key, 0, (run,)) for key, run in names.items() if run in runs and run not in held]
        crowded = [level for level in {one.level for one in standing} if _count(standing, level) >= FAN_IN]
        if not crowded:
            return
        level = min(crowded)
        _merge(store, [one for one in standing if one.level == level], level + 1, scratch)


def superseded(store: Store) -> list[Entry]:
    """The objects of merged segments that are of no more use, each as old as what put it out of use."""
    runs = frozenset(known_runs(store))
    entries = {entry.key: entry for entry in store.list(MERGED)}
    merged = [one for one in _all(store) if _note(one) in entries]
    found = []
    for one in merged:
        above = [entries[_note(other)].modified for other in merged if set(one.runs) < set(other.runs)]
        if above or not runs.issuperset(one.runs):
            own = [entries[key] for key in (_note(one), one.key) if key in entries]
            since = min(above, default=None)
            found += [Entry(e.key, e.size, e.modified if since is None else max(since, e.modified)) for e in own]
    return found


def _merge(store: Store, parts: Sequence[Merged], level: int, scratch: Path) -> None:
    """Merge segments, the newest of the store's copies of a key first."""
    folder = scratch / "merge"
    folder.mkdir(exist_ok=True)
    ages = {entry.key: entry.modified.isoformat() for part in parts for entry in store.list(part.key)}
    parts = sorted(parts, key=lambda part: (ages.get(part.key, ""), part.key), reverse=True)
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number}.parquet")
        store.download(part.key, files[-1])
    runs = tuple(sorted({run for part in parts for run in part.runs}))
    path = folder / "merged.parquet"
    with pq.ParquetWriter(path, SEGMENT, compression="zstd") as writer:
        for first in range(0, 256, BUCKETS_AT_ONCE):
            buckets = in_buckets(range(first, first + BUCKETS_AT_ONCE))
            tables = [pq.read_table(file, filters=buckets, schema=SEGMENT) for file in files]
            writer.write_table(_newest_of_each(tables))
    name = f"{MERGED}{hashlib.sha256(orjson.dumps(runs)).hexdigest()[:16]}"
    store.put(f"{name}.parquet", path)
    store.put(f"{name}.json", orjson.dumps({"level": level, "runs": runs}))  # last: it makes the segment known


def _newest_of_each(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of several tables, of those with the same key the one in the first table, sorted by bucket and key."""
    ranked = [table.append_column("rank", pa.repeat(rank, table.num_rows)) for rank, table in enumerate(tables)]
    rows = pa.concat_tables(ranked).unify_dictionaries().combine_chunks()
    rows = rows.sort_by([("bucket", "ascending"), ("key", "ascending"), ("rank", "ascending")]).drop_columns("rank")
    if rows.num_rows < 2:
        return rows
    keys = rows["key"].combine_chunks()
    new = pc.not_equal(keys.slice(1), keys.slice(0, rows.num_rows - 1))
    return rows.filter(pa.concat_arrays([pa.array([True]), new]))


def _all(store: Store) -> list[Merged]:
    notes = [entry.key for entry in store.list(MERGED) if entry.key.endswith(".json")]
    return [_read(store, key) for key in notes]


def _read(store: Store, note: str) -> Merged:
    content = orjson.loads(store.get(note))
    return Merged(f"{note.removesuffix('.json')}.parquet", content["level"], tuple(content["runs"]))


def _note(merged: Merged) -> str:
    return f"{merged.key.removesuffix('.parquet')}.json"


def _superseded(one: Merged, merged: Sequence[Merged]) -> bool:
    return any(set(one.runs) < set(other.runs) for other in merged)


def _count(merged: Sequence[Merged], level: int) -> int:
    return sum(one.level == level for one in merged)
