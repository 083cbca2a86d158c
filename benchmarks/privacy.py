"""What synthetic tables, and the model that draws them, give away about the rows it was fitted on.

    python benchmarks/privacy.py                               Adult, 8,000 rows each to fit, hold out and refer to
    python benchmarks/privacy.py --table credit-default --rows 5000 --families transformer diffusion
    python benchmarks/privacy.py --tables-in FOLDER            other NAME-train.parquet and NAME-holdout.parquet

Lines: `held out` hands in further real rows as if they were synthetic, the ideal; `bootstrap` hands in the fitted rows
drawn with replacement, the worst; `overfitted` is a wider network trained
on a few rows without a stopping rule; the
others are our families as they are fitted by default. Columns, each with what it is when nothing leaks:

    AUC table   .5    members told from others by the distance to the closest synthetic row
    hits table  1 %   members found so at 1 % false alarms
    risk        0 %   attribute inference on members beyond control, all columns together; `worst` is the worst column's
    DCR         50 %  synthetic rows nearer to a member than to any other
    exact, near 0 %   synthetic rows (nearly) equal to a member, less those equal to another
    DOMIAS      .5    AUC of a model fitted on the synthetic table beside one fitted on further real rows
    AUC model   .5    members told from others by the fitted model's own likelihood
    AUC ref     .5    the same beside the reference's likelihood; `hits ref` at 1 % false alarms

± are 95 % intervals. Everything is seeded; nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from models.table.codec import fit_codec  # noqa: E402
from models.table.families import NETWORKS  # noqa: E402
from models.table.model import TableModel, fit_table  # noqa: E402
from models.table.steps import AUTO, FAMILIES  # noqa: E402
from models.table.training import fit_network  # noqa: E402
from tasks.kinds.records.privacy.attacks import ASKED, attack, attack_model, leaks  # noqa: E402

TABLES = ROOT.parent / "shared" / "data" / "tables"
TITLES = (
    "AUC table",
    "hits table",
    "risk",
    "worst",
    "DCR",
    "exact",
    "near",
    "DOMIAS",
    "AUC model",
    "AUC ref",
    "hits ref",
)
HIDDEN = 96  # of the overfitted network, more than ours have: room to learn rows by heart
STEPS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--table", default="adult", choices=["adult", "airbnb", "credit-default"])
    parser.add_argument("--tables-in", type=Path, default=TABLES, metavar="FOLDER")
    parser.add_argument("--rows", type=int, default=8_000, help="to fit, and as many held out and as many to refer to")
    parser.add_argument("--families", nargs="+", default=[AUTO], choices=FAMILIES)
    parser.add_argument("--overfitted-rows", type=int, default=400, help="the overfitted model's members")
    parser.add_argument("--asked", type=int, default=ASKED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print all figures below the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    members, others, further = thirds(options.tables_in, options.table, options.rows, options.seed)
    print(f"{options.table}: {members.num_rows:,} rows fitted, {others.num_rows:,} held out, seed {options.seed}")
    print(f"{'':>16}" + "".join(f"{title:>14}" for title in TITLES), flush=True)
    reference, _ = fit_table(further, seed=options.seed + 1)
    every: dict[str, Any] = {}
    few = members.slice(0, options.overfitted_rows)
    for name, fitted, synthetic, model in cases(members, further, few, options.families, options.seed):
        found = attack(fitted, others, synthetic, seed=options.seed, asked=options.asked)
        if model is not None:
            found |= attack_model(fitted, others, model, seed=options.seed, reference=reference)
        if synthetic is not further:  # those rows the reference knows itself
            stand_in, _ = fit_table(synthetic, seed=options.seed + 3)
            by_density = attack_model(fitted, others, stand_in, seed=options.seed, reference=reference)
            found["domias"] = by_density["model"]["calibrated"]
        every[name] = {**found, "leaks": leaks(found)}
        show(name, found)
    for name, found in every.items():
        print(f"{name}: " + ("; ".join(found["leaks"].values()) or "nothing found"))
    if options.json:
        print(json.dumps(every, indent=1))


def cases(
    members: pa.Table, further: pa.Table, few: pa.Table, families: Sequence[str], seed: int
) -> Iterator[tuple[str, pa.Table, pa.Table, TableModel | None]]:
    """A name, the rows that were fitted, the table made of them, and what drew it; each made when its turn comes."""
    yield "held out", members, further, None
    chosen = np.random.default_rng([seed, 2]).integers(members.num_rows, size=members.num_rows)
    yield "bootstrap", members, members.take(chosen), None
    for family in families:
        model, _ = fit_table(members, seed=seed, family=family)
        yield family, members, drawn(model, members.num_rows, seed), model
    model = overfitted(few, seed)
    yield "overfitted", few, drawn(model, 2 * few.num_rows, seed), model


def thirds(folder: Path, name: str, rows: int, seed: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Rows to fit, rows to hold out and further rows: the first from the train half, the others from the holdout."""
    rng = np.random.default_rng([seed, 1])
    train = folder / f"{name}-train.parquet"
    if train.exists():
        fitted, held = pq.read_table(train), pq.read_table(folder / f"{name}-holdout.parquet")
        held = held.cast(fitted.schema)
    else:
        whole = pq.read_table(folder / f"{name}.parquet")
        whole = whole.take(rng.permutation(whole.num_rows))
        fitted, held = whole.slice(0, whole.num_rows // 2), whole.slice(whole.num_rows // 2)
    fitted, held = (table.take(rng.permutation(table.num_rows)) for table in (fitted, held))
    rows = min(rows, fitted.num_rows, held.num_rows // 2)
    return fitted.slice(0, rows), held.slice(0, rows), held.slice(rows, rows)


def drawn(model: TableModel, rows: int, seed: int) -> pa.Table:
    return pa.Table.from_batches(model.sample(rows, seed + 7))


def overfitted(table: pa.Table, seed: int, steps: int = STEPS) -> TableModel:
    """A model that knows its rows by heart: a wider network, many passes, and every row held out is fitted as well."""
    codec = fit_codec(table)
    tokens = np.tile(codec.encode(table), (10, 1))  # so the tenth that stops a fit early is among the fitted rows
    network = NETWORKS[AUTO](codec.parts, 16, HIDDEN)
    fit_network(network, tokens, steps, seed)
    return TableModel(codec=codec, network=network)


def show(name: str, found: dict[str, Any]) -> None:
    """Print one line of the table."""
    table, model = found["table"], found.get("model", {})
    worst = max(table["inference"]["secrets"], key=lambda guessed: guessed["risk"]["low"])
    shown = (
        (table["membership"]["auc"], 1),
        (table["membership"]["hits_at_1pct"], 100),
        (table["inference"]["risk"], 100),
        (worst["risk"], 100),
        (table["nearness"]["share"], 100),
        (table["nearness"]["exact"]["excess"], 100),
        (table["nearness"]["near"]["excess"], 100),
        (found.get("domias", {}).get("auc"), 1),
        (model.get("likelihood", {}).get("auc"), 1),
        (model.get("calibrated", {}).get("auc"), 1),
        (model.get("calibrated", {}).get("hits_at_1pct"), 100),
    )
    print(f"{name:>16}" + "".join(f"{_cell(figure, times):>14}" for figure, times in shown), flush=True)


def _cell(figure: dict[str, float] | None, times: int) -> str:
    if figure is None:
        return "–"
    digits, half = (3, 3) if times == 1 else (1, 1)
    return f"{times * figure['value']:.{digits}f} ±{times * (figure['high'] - figure['low']) / 2:.{half}f}"


if __name__ == "__main__":
    main()
