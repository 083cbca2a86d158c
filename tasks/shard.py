"""Making a shard: generate and judge its items, write their parts and files, commit.

Everything is written before the commit, under names that carry a hash of the content, so a process may die at any
instruction and two workers may make the same shard: the outputs are the same bytes under the same names.
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import commit as commits
from tasks import identity, rejects
from tasks.commit import Commit, DataSet, Fitted, Object, Short
from tasks.desk import LocalDesk, open_desk
from tasks.engines import EnginePool
from tasks.kinds import kind as kind_named
from tasks.kinds.base import File, Fit, Kind
from tasks.numerics import numerics
from tasks.plan.freeze import planned_jobs
from tasks.plan.model import Item, Plan, PlannedJob, Shard, StoredFile
from tasks.refine import Outcome, meta_columns, refine
from tasks.store import NotFound, Store, StoreError
from tasks.store.source import digest

WRITERS = 8  # a shard's files on their way to the store at once


@dataclass(slots=True)
class Workshop:
    """What shards of one run share in one process."""

    store: Store
    plan: Plan
    desk: LocalDesk
    engines: EnginePool
    on_progress: Callable[[Shard, Outcome], None] | None = None
    check_lease: Callable[[], None] | None = None
    """Raises when this process may no longer write to the run."""
    _partitions: dict[int, Path] = field(default_factory=dict)

    def jobs(self, shard: Shard) -> Iterator[PlannedJob]:
        """The planned jobs of a shard; its partition file is fetched once."""
        if shard.partition not in self._partitions:
            stored = self.plan.partitions[shard.partition]
            path = self.desk.scratch / Path(stored.key).name
            self.fetch(stored.key, stored.sha256, path)  # two threads may both do so: the file appears whole
            self._partitions[shard.partition] = path
        return planned_jobs(self._partitions[shard.partition], shard)

    def fetch(self, key: str, sha256: str, path: Path) -> None:
        """Bring an object of the run to the file `path`; what is not what was written is an error."""
        self.store.download(f"{self.plan.run_id}/{key}", path)
        if digest(path) != sha256:
            raise StoreError(
                f"{self.store.join(f'{self.plan.run_id}/{key}')} is not what the run wrote. Restore it, or start "
                "another run with a new --run-id."
            )


def make_shard(shard: Shard, shop: Workshop) -> Commit:
    """Make and commit one shard, or adopt the commit that stands.

    Raises `StoreError`, `models.host.EngineFailed`, `tasks.kinds.base.Refused` (a source or model that changed).
    """
    standing = commits.load_commit(shop.store, shop.plan.run_id, shard.id)
    if standing is not None:
        return standing
    started = time.monotonic()
    with open_desk(shop.desk.settings) as scratch:
        desk = shop.desk.at_work(scratch.scratch, shop.plan.models)
        record = _fit(shard, shop, desk) if shard.fit is not None else _generate(shard, shop, desk)
    record = record.model_copy(
        update={"seconds": round(time.monotonic() - started, 3), "numerics": numerics(desk.settings)}
    )
    if shop.check_lease:
        shop.check_lease()
    return commits.commit(shop.store, record)


def _generate(shard: Shard, shop: Workshop, desk: LocalDesk) -> Commit:
    kind = kind_named(shard.kind)
    jobs = list(shop.jobs(shard))
    for planned in jobs:
        desk.sources.update(planned.sources)
    writer = _Writer(shop, shard)
    old_rows = writer.adopt(jobs)
    if shard.needs is not None and not _fetch_model(shard.needs, shop, desk):
        outcome = _without_model(kind, jobs)
    elif shard.reused == shard.items:
        outcome = Outcome()
    else:
        with shop.engines.use(kind.engine(shard.group, desk), timeout=_timeout(shard, desk)) as engine:
            outcome = refine(
                kind,
                iter(jobs),
                engine,
                desk,
                reused=lambda item: old_rows.get(item.content_key),
                window=4 * _batch(shard.kind, desk),
                on_result=partial(shop.on_progress, shard) if shop.on_progress else None,
            )
    return writer.write(kind, outcome, list(old_rows.values()))


def _timeout(shard: Shard, desk: LocalDesk) -> float:
    return desk.settings.engine_timeout if shard.needs is None else desk.settings.fit_timeout


def _batch(kind: str, desk: LocalDesk) -> int:
    return {"copy": desk.settings.copy_batch, "image": desk.settings.image_batch}.get(kind, 1)


class _Writer:
    """Puts a shard's outputs into the store and lists them for its commit."""

    def __init__(self, shop: Workshop, shard: Shard) -> None:
        self.shop = shop
        self.shard = shard
        self.run = shop.plan.run_id
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
                    self.data_set(planned, item, files)
        for part, members in wanted.items():
            table = self.read(part)
            for planned, item in members:
                assert item.reuse is not None
                row = table.slice(item.reuse.row, 1).to_pylist()[0]
                own = {name: value for name, value in row.items() if not name.startswith("meta_")}
                rows[item.content_key] = own | meta_columns(planned)
        return rows

    def write(self, kind: Kind, outcome: Outcome, old_rows: list[dict[str, Any]]) -> Commit:
        rows = list(old_rows)
        with ThreadPoolExecutor(WRITERS) as pool:
            written = pool.map(self.put, [file for _, _, output in outcome.accepted for file in output.files])
            for planned, item, output in outcome.accepted:
                files = [next(written) for _ in output.files]
                if output.row is not None:
                    rows.append(output.row)
                else:
                    self.data_set(planned, item, files)
        part = self.part(kind, rows)
        rejected = self.rejected(outcome.rejected)
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

    def part(self, kind: Kind, rows: list[dict[str, Any]]) -> str | None:
        if kind.schema is None or not rows:
            return None
        schema = kind.schema
        for name, arrow in self.shop.plan.meta.items():
            schema = schema.append(pa.field(name, pa.type_for_alias(arrow)))
        rows.sort(key=lambda row: (row["job_id"], row["variant"]))
        for name, arrow in self.shop.plan.meta.items():
            for row in rows:
                row[name] = _as(arrow, row.get(name))
        return self.parquet(f"{kind.folder}/part-{self.shard.id}", pa.Table.from_pylist(rows, schema=schema))

    def rejected(self, rows: list[dict[str, Any]]) -> str | None:
        if not rows:
            return None
        rows.sort(key=lambda row: (row["job_id"], row["variant"], row["attempt"], row["rule"], row["reason"]))
        return self.parquet(f"rejected/part-{self.shard.id}", rejects.table(rows))

    def parquet(self, stem: str, table: pa.Table) -> str:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        return self.put(File.named(stem, ".parquet", buffer.getvalue(), table.num_rows))

    def put(self, file: File) -> str:
        self.shop.store.put(f"{self.run}/{file.key}", file.data)
        size = len(file.data) if isinstance(file.data, bytes) else file.data.stat().st_size
        self.objects.append(Object(key=file.key, sha256=file.sha256, size=size, rows=file.rows))
        return file.key

    def bring(self, file: StoredFile) -> str:
        """Bring an object of another run into this one, server-side, under the same name."""
        name = file.key.partition("/")[2]
        try:
            self.shop.store.copy(file.key, f"{self.run}/{name}")
        except NotFound as error:
            raise _gone(file.key) from error
        self.objects.append(Object(key=name, sha256=file.sha256, size=file.size, rows=file.rows))
        return name

    def read(self, part: str) -> pa.Table:
        try:
            return pq.read_table(io.BytesIO(self.shop.store.get(part)))
        except NotFound as error:
            raise _gone(part) from error

    def data_set(self, planned: PlannedJob, item: Item, files: list[str]) -> None:
        rows = sum(o.rows or 0 for o in self.objects if o.key in files)
        self.data_sets.append(
            DataSet(
                job_id=planned.job.job_id, variant=item.variant, content_key=item.content_key, files=files, rows=rows
            )
        )


def _fit(shard: Shard, shop: Workshop, desk: LocalDesk) -> Commit:
    """Fit a record model, or bring an earlier one into this run. A fit that fails is committed as such."""
    task = shard.fit
    assert task is not None
    writer = _Writer(shop, shard)
    blank = Commit(run_id=shop.plan.run_id, shard=shard.id, kind=shard.kind)
    if task.reuse is not None:
        files = [writer.bring(file) for file in task.reuse]
        return blank.model_copy(update={"objects": writer.objects, "fitted": Fitted(key=task.key, files=files)})
    kind: Any = kind_named(shard.kind)
    desk.sources[task.source] = task.sha256
    out = desk.scratch / "model"
    out.mkdir()
    request = kind.fit_request(
        Fit(inputs=task.inputs, source=task.source, sha256=task.sha256, steps=task.steps),
        identity.candidate_seed(task.key, 0),
        out,
        desk,
    )
    with shop.engines.use(kind.engine(shard.group, desk), timeout=desk.settings.fit_timeout) as engine:
        engine.submit([request])
        (result,) = engine.results()
    if result.error is not None:
        reason = {"kind": shard.kind, "stage": "fit", "rule": "engine", "reason": result.error}
        rejected = writer.parquet(f"rejected/part-{shard.id}", rejects.table([reason]))
        return blank.model_copy(update={"objects": writer.objects, "rejected": rejected})
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    files = [
        writer.put(File.named(f"_models/{task.key[:16]}/{path.relative_to(out).with_suffix('')}", path.suffix, path))
        for path in paths
    ]
    info = {name: value for name, value in result.info.items() if not name.endswith("seconds")}
    return blank.model_copy(update={"objects": writer.objects, "fitted": Fitted(key=task.key, files=files, info=info)})


def _fetch_model(fit_shard: str, shop: Workshop, desk: LocalDesk) -> bool:
    """Put the fitted model on the desk; False if its fit failed."""
    record = commits.load_commit(shop.store, shop.plan.run_id, fit_shard)
    if record is None:
        raise StoreError(f"shard needs {fit_shard}, which is not committed yet; make the fit shards of the run first")
    if record.fitted is None:
        return False
    target = desk.scratch / "fitted"
    sha256 = {made.key: made.sha256 for made in record.objects}
    for name in record.fitted.files:
        path = Path(name)
        plain = path.with_name(path.stem.rpartition("-")[0] + path.suffix)
        local = target.joinpath(*plain.parts[2:])
        local.parent.mkdir(parents=True, exist_ok=True)
        shop.fetch(name, sha256[name], local)
    desk.model_fitted = target
    return True


def _without_model(kind: Kind, jobs: Iterable[PlannedJob]) -> Outcome:
    """All items of a shard whose fit failed are a shortfall."""
    outcome = Outcome()
    for planned in jobs:
        for item in planned.items:
            if item.reuse is None:
                outcome.shortfall.append((planned, item, item.first_attempt))
                outcome.rejected.append(
                    {
                        "job_id": planned.job.job_id,
                        "variant": item.variant,
                        "kind": kind.name,
                        "stage": "fit",
                        "rule": "fit",
                        "reason": "the record model of its source could not be fitted; see the fit's own entry",
                        "attempt": item.first_attempt,
                    }
                )
    return outcome


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
