"""What business rules cost: drawing records under ten of them beside drawing them freely.

    python benchmarks/constraints.py [--rows 50000] [--rounds 5]

Hotel stays in which most rules hold by and large but not everywhere. Both samples come from one model in one process,
in turn; CPU seconds, so that other work on the machine counts less. Then one class of 1 % is brought to half.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.table.arrangement import order_of
from models.table.conditions import Conditions, parse_conditions
from models.table.constraints import Together, describe, parse_constraints, violations
from models.table.model import TableModel, fit_table

RULES = [
    {"column": "guests", "min": 1, "max": 6},
    {"column": "room", "in": ["single", "double", "suite"]},
    {"column": "vip", "regex": "yes|no"},
    {"column": "country", "not_null": True},
    {"less": ["arrival", "departure"]},
    {"less": ["tax", "price"]},
    {"sum": ["price", "tax"], "equals": "total"},
    {"together": ["city", "country"]},
    {"unique": ["arrival", "price", "city"]},
    {"column": "arrival", "min": "2024-02-01", "max": "2024-11-30"},
]
PLACES = {"Oslo": "NO", "Bergen": "NO", "Lyon": "FR", "Nice": "FR", "Rome": "IT"}


def stays(rows: int) -> pa.Table:
    """The source."""
    rng = np.random.default_rng(0)
    arrival = rng.integers(19_723, 20_088, rows)
    cities = rng.choice(list(PLACES), rows)
    price = np.round(rng.gamma(4, 40, rows), 2)
    tax = np.round(price * rng.choice([0.06, 0.1, 0.2], rows), 2)
    return pa.table(
        {
            "arrival": pa.array(arrival.astype(np.int32)).cast(pa.date32()),
            "departure": pa.array((arrival + rng.integers(-1, 14, rows)).astype(np.int32)).cast(pa.date32()),
            "guests": rng.integers(0, 9, rows),
            "room": rng.choice(["single", "double", "suite", "dormitory"], rows, p=[0.4, 0.4, 0.1, 0.1]),
            "city": cities,
            "country": [PLACES[city] if rng.random() < 0.97 else None for city in cities],
            "price": price,
            "tax": tax,
            "total": np.round(price + tax, 2),
            "vip": np.where(rng.random(rows) < 0.01, "yes", "no"),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = stays(20_000)
    rules = parse_constraints(json.dumps(RULES))
    together = [rule.columns for rule in rules if isinstance(rule, Together)]
    order = order_of(source.schema.names, rules, Conditions())
    model, _ = fit_table(source, seed=0, order=order, together=together)
    ratios = []
    for _ in range(options.rounds):
        free, _ = timed(model, options.rows)
        sampler = model.constrained(rules, Conditions())
        bound, table = timed(model, options.rows, sampler)
        ratios.append(bound / free)
    print(f"{options.rows:,} rows: freely {options.rows / free:,.0f} rows/s, under {len(rules)} rules", end=" ")
    print(f"{options.rows / bound:,.0f} rows/s: {np.median(ratios):.2f}× the time (median of {options.rounds})")
    print(f"{sampler.tally.kept / sampler.tally.drawn:.1%} of the drawn rows kept")
    print(f"{'rule':<44}{'broken in the source':>22}{'in the sample':>16}")
    for rule in rules:
        shares = [violations(rule, one, source).mean() for one in (source, table)]
        print(f"{describe(rule):<44}{shares[0]:>22.2%}{shares[1]:>16.2%}")
    conditions = parse_conditions('{"vip": {"shares": {"yes": 0.5}}}')
    model, _ = fit_table(source, seed=0, order=order_of(source.schema.names, [], conditions))
    seconds, table = timed(model, options.rows, model.constrained([], conditions))
    half = pc.sum(pc.equal(table["vip"], "yes")).as_py()
    print(f"a class of 1 % brought to half: {half:,} of {options.rows:,} rows, {seconds / free:.2f}× the time")


def timed(model: TableModel, rows: int, sampler: object = None) -> tuple[float, pa.Table]:
    """CPU seconds of drawing `rows` rows, and the rows."""
    began = time.process_time()
    table = pa.Table.from_batches(list(model.sample(rows, 1, sampler)))  # type: ignore[arg-type]
    return time.process_time() - began, table


if __name__ == "__main__":
    main()
