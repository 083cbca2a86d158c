"""A few items made at once and shown, nothing stored: the same steps as a run, in a folder that goes away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.begin import begin
from tasks.engines import EnginePool
from tasks.plan.model import stages
from tasks.settings import Settings
from tasks.shard import make_shard
from tasks.store import open_store
from tasks.workshop import Workshop


def preview(specs: Sequence[str], settings: Settings, *, jobs: int, keep: Path) -> Iterator[dict[str, Any]]:
    """The accepted rows of the first `jobs` jobs, then the rejected ones; pictures and data sets are left in `keep`.

    First come the spec rows that were set aside on the way, as `{"aside": reason}`.
    """
    with tempfile.TemporaryDirectory(prefix="pressrun-preview-") as folder:
        store = open_store(folder)
        with begin(specs, store, settings, run_id="preview", limit=jobs) as begun:
            yield from ({"aside": reason} for reason in begun.aside)
            engines = EnginePool()
            shop = Workshop(store, begun.plan, begun.desk, engines)
            try:
                for shard in chain.from_iterable(stages(begun.plan.shards)):
                    record = make_shard(shard, shop)
                    yield from _shown(Path(folder) / "preview", record.part, record.rejected)
                    for made in record.data_sets:
                        yield {"job_id": made.job_id, "variant": made.variant, "rows": made.rows, "files": made.files}
            finally:
                engines.close()
        for kind in ("files", "records"):
            outputs = Path(folder) / "preview" / kind
            if outputs.is_dir():
                shutil.copytree(outputs, keep / kind, dirs_exist_ok=True)


def _shown(run: Path, *parts: str | None) -> Iterator[dict[str, Any]]:
    for part in parts:
        if part is not None:
            yield from pq.read_table(run / part).to_pylist()
