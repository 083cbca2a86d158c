"""The record engine: fits models on tables, draws Parquet files from models, and fills the nulls of tables.

There is nothing to load beforehand, so `open` takes any `ref`. A request that cannot be served is answered with an
error for people; only faults of the machine raise.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from models.engine import FillRequest, FitRequest, SampleRequest, TableResult
from models.table.conditions import Conditions, parse_conditions
from models.table.constraints import parse_constraints
from models.table.declared.columns import parse_schema
from models.table.declared.drawing import Drawing
from models.table.imputing import fill_columns
from models.table.model import fit_table, load_model
from models.table.private.settings import parse_privacy
from models.table.reading import read_table
from models.table.related import Link, fit_children, load_children
from models.table.steps import AUTO, FAMILIES, PRESETS, default_steps
from models.table.survey import survey

__all__ = ["TableEngine", "answer", "default_steps", "open"]

TableRequest = FitRequest | SampleRequest | FillRequest
ROW_GROUP = 65_536


class TableEngine:
    """Serves fits, samplings and fillings one after the other."""

    def __init__(self) -> None:
        self._queue: deque[TableRequest] = deque()
        self._lock = Lock()

    def submit(self, requests: Sequence[TableRequest]) -> None:
        with self._lock:
            self._queue.extend(requests)

    def results(self) -> Iterator[TableResult]:
        while True:
            with self._lock:
                if not self._queue:
                    return
                request = self._queue.popleft()
            yield answer(request)

    def close(self) -> None:
        with self._lock:
            self._queue.clear()


def open(ref: str = "", device: str = "cpu", dtype: str = "float32", *, threads: int | None = None) -> TableEngine:
    """Open the engine. The networks are small: they run on the CPU, in float32, whatever `device` and `dtype` say."""
    del ref, device, dtype
    if threads is not None:
        torch.set_num_threads(threads)
    return TableEngine()


def answer(request: TableRequest) -> TableResult:
    """Serve one request."""
    try:
        if isinstance(request, FillRequest):
            return _fill(request)
        return _fit(request) if isinstance(request, FitRequest) else _sample(request)
    except (ValueError, OSError, pa.ArrowException) as error:
        return TableResult(id=request.id, error=str(error))


def _fit(request: FitRequest) -> TableResult:
    if request.privacy:
        return _fit_private(request, time.perf_counter())
    if request.family not in ("auto", *FAMILIES):
        raise ValueError(f"family {request.family!r} is not one of auto, {', '.join(FAMILIES)}")
    if request.preset not in PRESETS:
        raise ValueError(f"preset {request.preset!r} is not one of {', '.join(PRESETS)}")
    began = time.perf_counter()
    if request.parents:
        if request.family not in ("auto", AUTO):
            raise ValueError(f"a table with a parent cannot be drawn by the family {request.family}")
        return _fit_children(request, began)
    looked_at = survey(Path(request.source), request.seed, request.primary_key or None)
    table = looked_at.table
    model, fit = fit_table(
        table,
        seed=request.seed,
        steps=request.steps,
        family=request.family,
        preset=request.preset,
        primary_key=request.primary_key or None,
        order=request.order,
        together=[json.loads(names) for names in request.together],
        facts=looked_at.facts,
    )
    model.save(Path(request.out))
    info = {
        "seconds": round(time.perf_counter() - began, 3),
        "family": model.family,
        "steps": fit.steps,
        "best_step": fit.best,
        "held_out_losses": [list(pair) for pair in fit.losses],
        "counted_loss": fit.counted,
        "told_apart": [list(pair) for pair in fit.told_apart],
        "columns": {name: column.role for name, column in zip(table.schema.names, model.codec.columns, strict=True)},
        "threads": torch.get_num_threads(),
    }
    if looked_at.facts is not None:
        info["studied"] = table.num_rows
    return TableResult(id=request.id, path=request.out, rows=looked_at.rows, info=info)


def _fit_private(request: FitRequest, began: float) -> TableResult:
    from models.table.private.fit import fit_private  # scipy and the accountant are loaded by those who ask for them

    privacy = parse_privacy(request.privacy)
    assert privacy is not None
    model = fit_private(read_table(Path(request.source)), privacy, primary_key=request.primary_key or None)
    model.save(Path(request.out))
    info = {
        "seconds": round(time.perf_counter() - began, 3),
        "family": model.family,
        "privacy": model.privacy,
        "threads": torch.get_num_threads(),
    }
    return TableResult(id=request.id, path=request.out, info=info)


def _fit_children(request: FitRequest, began: float) -> TableResult:
    table = read_table(Path(request.source))
    children = fit_children(
        read_table(Path(request.parents)),
        table,
        Link(**json.loads(request.link)),
        seed=request.seed,
        steps=request.steps,
        family=request.family,
        primary_key=request.primary_key or None,
    )
    children.save(Path(request.out))
    info = {
        "seconds": round(time.perf_counter() - began, 3),
        "steps": request.steps,
        "families": {"counts": children.counts.family, "rows": children.rows.family},
        "threads": torch.get_num_threads(),
    }
    return TableResult(id=request.id, path=request.out, rows=table.num_rows, info=info)


def _sample(request: SampleRequest) -> TableResult:
    began = time.perf_counter()
    if request.parents:
        return _sample_children(request, began)
    if request.schema:
        return _sample_declared(request, began)
    model = load_model(Path(request.model))
    constraints, conditions = parse_constraints(request.constraints), parse_conditions(request.conditions)
    rules = model.constrained(constraints, conditions) if constraints or conditions != Conditions() else None
    _write(model.sample(request.rows, request.seed, rules), model.codec.schema, Path(request.out))
    drawn = _drawn(request, began, None if rules is None else rules.tally.kept / rules.tally.drawn)
    return drawn if model.privacy is None else replace(drawn, info={**drawn.info, "privacy": model.privacy})


def _sample_declared(request: SampleRequest, began: float) -> TableResult:
    declared, constraints = parse_schema(request.schema), parse_constraints(request.constraints)
    drawing = Drawing(declared, constraints)
    _write(drawing.batches(request.rows, request.seed), declared.schema, Path(request.out))
    return _drawn(request, began, drawing.tally.kept / drawing.tally.drawn if constraints else None)


def _write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> None:
    """Write batches as row groups of some size; the file stands under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with pq.ParquetWriter(unfinished, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            if sum(b.num_rows for b in waiting) >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    unfinished.replace(path)


def _drawn(request: SampleRequest, began: float, acceptance: float | None) -> TableResult:
    seconds = time.perf_counter() - began
    info: dict[str, Any] = {"seconds": round(seconds, 3), "rows_per_second": round(request.rows / seconds)}
    if acceptance is not None:
        info["acceptance"] = round(acceptance, 6)
    return TableResult(id=request.id, path=request.out, rows=request.rows, info=info)


def _sample_children(request: SampleRequest, began: float) -> TableResult:
    made = load_children(Path(request.model)).sample(read_table(Path(request.parents)), request.seed)
    path = Path(request.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    pq.write_table(made, unfinished, row_group_size=ROW_GROUP)
    unfinished.replace(path)
    seconds = time.perf_counter() - began
    info = {"seconds": round(seconds, 3), "rows_per_second": round(made.num_rows / seconds)}
    return TableResult(id=request.id, path=request.out, rows=made.num_rows, info=info)


def _fill(request: FillRequest) -> TableResult:
    began = time.perf_counter()
    table = read_table(Path(request.source))
    filled = fill_columns(load_model(Path(request.model)), table, request.seed, request.columns)
    path = Path(request.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    pq.write_table(filled, unfinished, row_group_size=ROW_GROUP)
    unfinished.replace(path)
    seconds = round(time.perf_counter() - began, 3)
    return TableResult(id=request.id, path=request.out, rows=filled.num_rows, info={"seconds": seconds})
