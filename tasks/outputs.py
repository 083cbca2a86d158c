"""A shard's outputs on their way to the store, and the list of them that its commit will hold.

Names carry a hash of the content: whoever writes a shard again writes the same bytes under the same names.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import identity, rejects
from tasks.commit import Commit, DataSet, Object, Short
from tasks.kinds.base import File, Kind
from tasks.plan.model import Item, Plan, PlannedJob, Shard, StoredFile
from tasks.refine import Outcome, meta_columns
from tasks.store import NotFound, Store, StoreError

WRITERS = 8  # a shard's files on their way to the store at once


class Outputs:
    """Puts a shard's outputs into the store and lists them for its commit."""

    def __init__(self, store: Store, plan: Plan, shard: Shard) -> None:
        self.store = store
        self.plan = plan
        self.shard = shard
        self.run = plan.run_id
        self.objects: list[Object] = []
        self.data_sets: list[DataSet] = []

    def adopt(self, jobs: Iterable[PlannedJob]) -> dict[str, dict[str, Any]]:
        """Bring reused items into this run: copy their files, return their rows by content key."""
        wanted: dict[str, list[tuple[PlannedJob, Item]]] = defaultdict(list)
        rows: dict[str, dict[str, Any]] = {}
        old = [(planned, item, item.reuse) for planned in jobs for item in planned.items if item.reuse is not None]
        with ThreadPoolExecutor(WRITERS) as pool:
            brought = pool.map(self.bring, [file for _, _, reuse in old for file in reuse.files])
            for planned, item, reuse in old:
                files = [next(brought) for _ in reuse.files]
                if reuse.part is not None:
                    wanted[reuse.part].append((planned, item))
                else:
                    self._data_set(planned, item, files)
        for part, members in wanted.items():
            table = self._read(part)
            for planned, item in members:
                assert item.reuse is not None
                row = table.slice(item.reuse.row, 1).to_pylist()[0]
                own = {name: value for name, value in row.items() if not name.startswith("meta_")}
                rows[item.content_key] = own | meta_columns(planned)
        return rows

    def write(self, kind: Kind, outcome: Outcome, old_rows: list[dict[str, Any]]) -> Commit:
        """Write the part, the files and the rejected rows of a shard; gives its commit, not yet committed."""
        rows = list(old_rows)
        with ThreadPoolExecutor(WRITERS) as pool:
            written = pool.map(self.put, [file for _, _, output in outcome.accepted for file in output.files])
            for planned, item, output in outcome.accepted:
                files = [next(written) for _ in output.files]
                if output.row is not None:
                    rows.append(output.row)
                else:
                    self._data_set(planned, item, files)
        part = self._part(kind, rows)
        rejected = self._rejected(outcome.rejected)
        reused = self.shard.reused
        return Commit(
            run_id=self.run,
            shard=self.shard.id,
            kind=self.shard.kind,
            part=part,
            rejected=rejected,
            objects=sorted(self.objects, key=lambda o: o.key),
            data_sets=sorted(self.data_sets, key=lambda d: (d.job_id, d.variant)),
            shortfall=sorted(
                (
                    Short(job_id=p.job.job_id, variant=i.variant, content_key=i.content_key, attempts=attempts)
                    for p, i, attempts in outcome.shortfall
                ),
                key=lambda s: (s.job_id, s.variant),
            ),
            requested=self.shard.items,
            accepted=len(outcome.accepted) + reused,
            reused=reused,
            made=outcome.made,
            refused=outcome.made - len(outcome.accepted),
            refusals=dict(sorted(outcome.refusals.items())),
            rows=sum(made.rows for made in self.data_sets),
            tokens=outcome.tokens,
        )

    def _part(self, kind: Kind, rows: list[dict[str, Any]]) -> str | None:
        if kind.schema is None or not rows:
            return None
        schema = kind.schema
        for name, arrow in self.plan.meta.items():
            schema = schema.append(pa.field(name, pa.type_for_alias(arrow)))
        rows.sort(key=lambda row: (row["job_id"], row["variant"]))
        for name, arrow in self.plan.meta.items():
            for row in rows:
                row[name] = _as(arrow, row.get(name))
        return self.parquet(f"{kind.folder}/part-{self.shard.id}", pa.Table.from_pylist(rows, schema=schema))

    def _rejected(self, rows: list[dict[str, Any]]) -> str | None:
        if not rows:
            return None
        rows.sort(key=lambda row: (row["job_id"], row["variant"], row["attempt"], row["rule"], row["reason"]))
        return self.parquet(f"rejected/part-{self.shard.id}", rejects.table(rows))

    def parquet(self, stem: str, table: pa.Table) -> str:
        """Write a table as `STEM-<hash8>.parquet`; gives its key."""
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        return self.put(File.named(stem, ".parquet", buffer.getvalue(), table.num_rows))

    def put(self, file: File) -> str:
        """Write a file; gives its key."""
        self.store.put(f"{self.run}/{file.key}", file.data)
        size = len(file.data) if isinstance(file.data, bytes) else file.data.stat().st_size
        self.objects.append(Object(key=file.key, sha256=file.sha256, size=size, rows=file.rows))
        return file.key

    def bring(self, file: StoredFile) -> str:
        """Bring an object of another run into this one, server-side, under the same name."""
        name = file.key.partition("/")[2]
        try:
            self.store.copy(file.key, f"{self.run}/{name}")
        except NotFound as error:
            raise _gone(file.key) from error
        self.objects.append(Object(key=name, sha256=file.sha256, size=file.size, rows=file.rows))
        return name

    def _read(self, part: str) -> pa.Table:
        try:
            return pq.read_table(io.BytesIO(self.store.get(part)))
        except NotFound as error:
            raise _gone(part) from error

    def _data_set(self, planned: PlannedJob, item: Item, files: list[str]) -> None:
        rows = sum(o.rows or 0 for o in self.objects if o.key in files)
        self.data_sets.append(
            DataSet(
                job_id=planned.job.job_id, variant=item.variant, content_key=item.content_key, files=files, rows=rows
            )
        )


def _as(arrow: str, value: Any) -> Any:
    """A meta value in the type that its column has over all files."""
    if value is None or (arrow == "string" and isinstance(value, str)):
        return value
    if arrow == "string":
        return identity.canonical(value).decode()
    return float(value) if arrow == "double" else value


def _gone(key: str) -> StoreError:
    return StoreError(
        f"{key}, which the plan reuses, is gone from the store. Start the run again with another --run-id."
    )
