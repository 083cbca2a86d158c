"""The index of what a store's runs have made: content key → where the item stands. It can be rebuilt from commits.

Every run leaves a create-only note under `_index/runs/`; a finished run also leaves a segment, a Parquet file sorted by
hash bucket, so that one plan partition reads one range of it. A run without a segment is read from its commits. Where
segments become many they are merged, so that what a search costs does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.commit import done_shards
from tasks.compaction import MERGED, compact, merged_segments
from tasks.plan.model import Plan, Reuse, StoredFile
from tasks.segments import RUNS, SEGMENT, SEGMENTS, in_buckets, known_runs, write_segment
from tasks.store import NotFound, Store

__all__ = ["Index", "announce", "as_reuse", "known_runs", "publish_segment"]


def announce(store: Store, run: str) -> None:
    """Make a run known to later ones."""
    store.create(f"{RUNS}{run}.json", b"{}")


class Index:
    """What the runs of a store have made. Segments are fetched when a search first needs them."""

    def __init__(self, store: Store, scratch: Path) -> None:
        self._store = store
        self._scratch = scratch / "index"
        self._scratch.mkdir(exist_ok=True)
        self._places: list[str] | None = None
        self._segments: dict[str, Path] = {}

    def find(self, keys: set[str], buckets: range) -> dict[str, Reuse]:
        """Where those of `keys` stand whose jobs are filed in `buckets`. Newer runs come first."""
        found: dict[str, Reuse] = {}
        wanted = set(keys)
        if not wanted:
            return found
        if self._places is None:
            self._places = self._look_up_places()
        for place in self._places:
            if not wanted:
                break
            for key, reuse in self._search(place, wanted, buckets):
                found[key] = reuse
                wanted.discard(key)
        return found

    def holds(self, run: str, name: str) -> bool:
        """Whether a run has the object `name`."""
        return self._store.head(f"{run}/{name}") is not None

    def _look_up_places(self) -> list[str]:
        """Merged segments and, for runs that none holds, the runs; the newest first."""
        runs = known_runs(self._store)
        place = {run: run for run in runs}
        for merged in merged_segments(self._store, runs):
            place.update(dict.fromkeys(merged.runs, merged.key))
        return list(dict.fromkeys(place[run] for run in runs))

    def _search(self, place: str, wanted: set[str], buckets: range) -> Iterator[tuple[str, Reuse]]:
        table = pq.read_table(self._segment(place), filters=in_buckets(buckets), schema=SEGMENT)
        hits = table.filter(pc.is_in(table["key"], pa.array(sorted(wanted), pa.string())))
        for row in hits.to_pylist():
            yield row["key"], as_reuse(row)

    def _segment(self, place: str) -> Path:
        if place not in self._segments:
            path = self._scratch / f"{len(self._segments)}.parquet"
            if place.startswith(MERGED):
                self._store.download(place, path)
            else:
                self._fetch(place, path)
            self._segments[place] = path
        return self._segments[place]

    def _fetch(self, run: str, path: Path) -> None:
        try:
            self._store.download(f"{SEGMENTS}{run}.parquet", path)
        except NotFound:
            write_segment(self._store, run, sorted(done_shards(self._store, run)), path)


def publish_segment(store: Store, plan: Plan, scratch: Path) -> None:
    """Write the segment of a run whose shards are all committed, once; merge segments where they have become many."""
    path = scratch / f"segment-{plan.run_id}.parquet"
    write_segment(store, plan.run_id, [shard.id for shard in plan.shards], path)
    store.put(f"{SEGMENTS}{plan.run_id}.parquet", path)
    with suppress(NotFound):  # a segment that somebody removes meanwhile: the next run merges what is left
        compact(store, scratch)


def as_reuse(row: Mapping[str, Any]) -> Reuse:
    """A row of a segment, or of a plan's `reuse` column, as a `Reuse`."""
    return Reuse(row["part"], row["row"], [StoredFile(**file) for file in row["files"]])
