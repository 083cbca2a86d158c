"""Filling the nulls of a table: fit a model on it, draw what is missing, and leave the whole table somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.engine import EngineSpec, FillRequest, FitRequest
from models.table.codec import plain_values
from models.table.columns import role_of
from models.table.steps import CODED, FAMILIES, FILLING, default_steps, filling_family
from tasks import identity
from tasks.desk import FITTED, LocalDesk, open_desk
from tasks.destination import destination
from tasks.engines import EnginePool
from tasks.kinds.base import Refused
from tasks.kinds.records import source
from tasks.settings import Settings
from tasks.specs.problems import listed, nearest

FILL_VERSION = 1  # raise it when the same table and seed would be filled otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a filling did: values filled by column, and the files it left, one for each draw."""

    rows: int
    counts: dict[str, int]
    empty: list[str]
    """Columns that were left alone because they hold no value at all."""
    made_up: list[str]
    """Filled columns of texts that hardly repeat: nothing but their manner can be learned."""
    family: str | None
    """The family that filled them; None when there was nothing to fill."""
    files: list[str]


@dataclass(frozen=True, slots=True)
class _Gaps:
    counts: dict[str, int]
    empty: list[str]
    made_up: list[str]


def fill(
    table: str, to: str, settings: Settings, *, columns: Sequence[str] = (), family: str = "auto", draws: int = 1
) -> Filled:
    """Fill the nulls of `columns` (none named: of all) of the table at `table`, `draws` times, and write Parquet.

    `to` is one file, or with several draws the pattern of their names, see `tasks.destination`. Files that stand are
    not replaced. Raises ValueError, `Refused` among them, for what cannot be filled, before any work is done.
    """
    if family != "auto":
        _check_family(family)
    targets = destination(to, draws)
    for target in targets:
        target.check_free()
    with open_desk(settings) as desk:
        path = desk.source("table", table)
        whole = source.load(path)
        gaps = _gaps(whole, columns)
        chosen = filling_family(family, whole.num_rows)
        sha256 = desk.source_digest("table", table)
        counts = {name: count for name, count in gaps.counts.items() if count}
        completed = _completed(path, whole, list(counts), chosen, sha256, draws, desk) if counts else [whole] * draws
        for draw, (target, made) in enumerate(zip(targets, completed, strict=True), 1):
            lineage = {
                "imputed": counts,
                "family": chosen if counts else None,
                "seed": settings.seed,
                "draw": draw,
                "source_sha256": sha256,
            }
            target.create(_marked(made, lineage))
    return Filled(
        rows=whole.num_rows,
        counts=gaps.counts,
        empty=gaps.empty,
        made_up=gaps.made_up,
        family=chosen if counts else None,
        files=[target.uri for target in targets],
    )


def _check_family(family: str) -> None:
    if family in FILLING:
        return
    if family in FAMILIES:
        whole, begun = "it draws whole rows", "it must know a row's first columns to draw those behind them"
        why = whole if family in CODED else begun
        reason = f"the family {family} cannot fill nulls: {why}"
        raise Refused("family", f"{reason}. Choose auto, {listed(FILLING)}")
    near = nearest(family, ("auto", *FILLING))
    advice = f"Did you mean {near}?" if near else f"Choose auto, {listed(FILLING)}"
    raise Refused("family", f"there is no family {family!r}. {advice}")


def _gaps(table: pa.Table, columns: Sequence[str]) -> _Gaps:
    """What is to be filled. Raises `Refused` for a named column that is not there or has nothing to learn from."""
    for name in columns:
        if name not in table.schema.names:
            near = nearest(name, table.schema.names)
            advice = f"Did you mean {near!r}?" if near else f"It has {listed(map(repr, table.schema.names))}"
            raise Refused("columns", f"the table has no column {name!r}. {advice}")
        if table[name].null_count == table.num_rows:
            reason = f"column {name!r} holds no value at all, so there is nothing to learn it from"
            raise Refused("columns", f"{reason}. Leave it out of --columns")
    nulls = {name: plain_values(table[name]).null_count for name in table.schema.names}
    empty = [name for name, count in nulls.items() if count == table.num_rows]
    wanted = [name for name in table.schema.names if name in columns or not columns]
    counts = {name: nulls[name] for name in wanted if name not in empty and (nulls[name] or columns)}
    made_up = [name for name, count in counts.items() if count and role_of(name, plain_values(table[name])) == "text"]
    return _Gaps(counts, [] if columns else empty, made_up)


def _completed(
    path: Path, table: pa.Table, columns: list[str], family: str, sha256: str, draws: int, desk: LocalDesk
) -> Iterator[pa.Table]:
    """The completed tables, one after the other, from one model that was fitted in an engine's process."""
    steps = default_steps(table.num_rows, table.num_columns, family)
    settings = desk.settings
    # The columns asked for do not enter: a column is filled alike whichever others are.
    key = identity.digest(["fill", FILL_VERSION, sha256, family, steps, settings.seed])
    model = str(desk.scratch / "model")
    spec = desk.engine_spec("records", "models.table.engine:open", FITTED, {})
    engines = EnginePool()
    try:
        first = identity.candidate_seed(key, 0)
        fit = FitRequest(id="fit", source=str(path), out=model, seed=first, steps=steps, family=family)
        _answer(engines, spec, fit, settings)
        for draw in range(1, draws + 1):
            out = desk.scratch / f"filled-{draw}.parquet"
            seed = identity.candidate_seed(key, draw)
            request = FillRequest(id=out.stem, model=model, source=str(path), out=str(out), seed=seed, columns=columns)
            _answer(engines, spec, request, settings)
            yield pq.read_table(out)
            out.unlink()
    finally:
        engines.close()


def _answer(engines: EnginePool, spec: EngineSpec, request: FitRequest | FillRequest, settings: Settings) -> None:
    """Wait for an engine to serve a request. Raises `Refused` with the engine's reason when it cannot."""
    with engines.use(spec, timeout=settings.fit_timeout) as engine:
        engine.submit([request])
        (result,) = engine.results()
    if result.error is not None:
        raise Refused("table", result.error)


def _marked(table: pa.Table, lineage: Mapping[str, object]) -> bytes:
    """The table as Parquet, with `lineage` beside its own metadata: drawn values must not pass for observed ones."""
    sink = pa.BufferOutputStream()
    metadata = {**(table.schema.metadata or {}), b"pressrun": identity.canonical(lineage)}
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return bytes(sink.getvalue())
