"""A large source: fitted and drawn from in bounded memory.

    python benchmarks/scale.py                                     5,000,000 rows made of Adult, 1,000,000 rows drawn
    python benchmarks/scale.py --rows 300000 --draw 50000 --most 60000 --steps 200     a small run of the same

The source is another table's rows over and over, numbers shifted by noise, written row group by row group. Fitting,
drawing and judging are child processes of their own, so that each has a peak of its own: resident memory at its
highest, imports included (VmHWM, or what the system calls it). Files lie in scratch/ and are left there.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import tasks  # noqa: E402, F401  sets Arrow's allocator as the program does

TABLE = ROOT.parent / "shared" / "data" / "tables" / "adult-train.parquet"
WORK = ROOT / "scratch" / "benchmarks" / "scale"
ROW_GROUP = 65_536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--source", type=Path, default=TABLE, help="the table that the large one is made of")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--draw", type=int, default=1_000_000)
    parser.add_argument("--most", type=int, help="rows that the fit studies, where not as many as usual")
    parser.add_argument("--steps", type=int, help="of the fit, where not as many as usual")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        began, told = time.perf_counter(), WORKERS[options.worker](options)
        print(json.dumps({"seconds": time.perf_counter() - began, "peak": peak_bytes(), **told}))
        return
    WORK.mkdir(parents=True, exist_ok=True)
    for worker in WORKERS:
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", worker]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        told = json.loads(done.stdout.splitlines()[-1])
        figures = ", ".join(f"{name} {value:,}" for name, value in told.items() if name not in ("seconds", "peak"))
        print(f"{worker:>6}: {told['seconds']:8.1f} s, peak {told['peak'] / 1e6:7,.0f} MB; {figures}", flush=True)


def build(options: argparse.Namespace) -> dict[str, Any]:
    """Write the large source, a row group at a time."""
    table, rng = pq.read_table(options.source), np.random.default_rng(options.seed)
    with pq.ParquetWriter(WORK / "source.parquet", table.schema) as writer:
        for first in range(0, options.rows, ROW_GROUP):
            rows = min(ROW_GROUP, options.rows - first)
            writer.write_table(noisy(table.take(rng.integers(table.num_rows, size=rows)), rng))
    return {"rows": options.rows, "bytes": (WORK / "source.parquet").stat().st_size}


def noisy(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The table with its numbers shifted by up to a twentieth; what is 0 stays so."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pt.is_integer(field.type) or pt.is_floating(field.type):
            shift = pa.array(rng.uniform(0.95, 1.05, table.num_rows))
            moved = pa.compute.multiply(column.cast(pa.float64()), shift)
            whole = pa.compute.round(moved) if pt.is_integer(field.type) else moved
            column = whole.cast(field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=table.schema)


def fit(options: argparse.Namespace) -> dict[str, Any]:
    """Fit as the engine does."""
    from models.table.model import fit_table
    from models.table.steps import default_steps
    from models.table.survey import survey

    looked_at = survey(WORK / "source.parquet", options.seed, most=options.most)
    steps = options.steps or default_steps(looked_at.rows, looked_at.table.num_columns)
    model, made = fit_table(looked_at.table, seed=options.seed, steps=steps, facts=looked_at.facts)
    model.save(WORK / "model")
    return {"rows": looked_at.rows, "studied": looked_at.table.num_rows, "steps": made.steps}


def draw(options: argparse.Namespace) -> dict[str, Any]:
    """Draw as the engine does."""
    from models.engine import SampleRequest
    from models.table.engine import answer

    model, out = str(WORK / "model"), str(WORK / "made.parquet")
    result = answer(SampleRequest(id="draw", model=model, out=out, rows=options.draw, seed=options.seed + 1))
    if result.error is not None:
        raise SystemExit(result.error)
    return {"rows": result.rows, "rows_per_second": result.info["rows_per_second"]}


def judge(options: argparse.Namespace) -> dict[str, Any]:
    """Judge what was drawn by the rules, and take its figures."""
    from tasks.kinds.records import quality, rules
    from tasks.kinds.records.job import RecordsJob

    source, made = WORK / "source.parquet", WORK / "made.parquet"
    told = {"job_id": "scale", "kind": "records", "source": str(source), "rows": options.draw}
    checks, roles = rules.judge(RecordsJob.model_validate(told), source, made)
    for check in checks:
        if check.verdict != "accept":
            print(f"{check.rule}: {check.reason}", file=sys.stderr)
    figures = quality.figures(source, made, seed=options.seed, roles=roles)
    return {"checks": len(checks), "shape": figures["shape"], "trend": figures["trend"]}


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone, where getrusage counts what the parent held as it forked
        told = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(told["VmHWM"].split()[0]) * 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


WORKERS = {"build": build, "fit": fit, "draw": draw, "judge": judge}

if __name__ == "__main__":
    main()
