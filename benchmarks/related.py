"""Two related tables: baseball players and their seasons, fitted on a random half of the players.

    python benchmarks/related.py [--threads 1] [--steps N]

New players are drawn, then the seasons of each; both are scored against the other half. C2ST = 100 · (2 − 2 · max(.5,
AUC)) of XGBoost telling synthetic rows from held-out ones, for each table and for their join (ids and names, which are
made anew, left out); `real` is the fitted half itself, `independent` draws every column for itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.records import TABLES, c2st_auc
from models.table.model import fit_table
from models.table.related import Link, fit_children
from tasks.kinds.records.quality import independent

LINK = Link(child="players_id", parent="id", order="year")
ANEW = ["id", "nameFirst", "nameLast"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="default: by the size of each table")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    players = pq.read_table(TABLES / "baseball-players.parquet").replace_schema_metadata()
    batting = pq.read_table(TABLES / "baseball-batting.parquet").replace_schema_metadata()
    batting = batting.filter(pc.is_in(batting["players_id"], value_set=players["id"].combine_chunks()))
    order = np.random.default_rng(0).permutation(players.num_rows)
    fitted, held = (players.take(np.sort(half)) for half in np.array_split(order, 2))
    seasons = {half: _of(batting, table) for half, table in (("fitted", fitted), ("held", held))}

    began = time.process_time()
    parents, _ = fit_table(fitted, seed=options.seed, steps=options.steps)
    children = fit_children(fitted, seasons["fitted"], LINK, seed=options.seed, steps=options.steps)
    fit = time.process_time() - began
    began = time.process_time()
    made = pa.Table.from_batches(list(parents.sample(held.num_rows, options.seed + 1)))
    drawn = children.sample(made, options.seed + 2)
    sample = time.process_time() - began
    print(
        f"{fitted.num_rows:,} players with {seasons['fitted'].num_rows:,} seasons: {fit:.0f} CPU seconds to fit,",
        end=" ",
    )
    print(f"{(made.num_rows + drawn.num_rows) / sample:,.0f} rows a CPU second drawn")
    orphans = drawn.num_rows - _of(drawn, made).num_rows
    print(f"orphans: {orphans}; seasons out of order: {_disorder(drawn)}; repeated player ids: {_repeated(made['id'])}")
    print(f"seasons per player, KS distance: {_ks(_counts(made, drawn), _counts(held, seasons['held'])):.3f}", end=" ")
    print(f"(fitted half {_ks(_counts(fitted, seasons['fitted']), _counts(held, seasons['held'])):.3f})")
    for name in ("birthDate", "deathDate"):
        old = [100 * np.mean([d is not None and d.year < 1900 for d in t[name].to_pylist()]) for t in (made, held)]
        first = [min(d for d in t[name].to_pylist() if d is not None).date() for t in (made, fitted)]
        print(f"{name} before 1900: {old[0]:.1f} % of the players, held out {old[1]:.1f} %;", end=" ")
        print(f"first {first[0]}, source {first[1]}")
    tables = {
        "players": (made, fitted, held),
        "seasons": (drawn, seasons["fitted"], seasons["held"]),
        "join": (_joined(made, drawn), _joined(fitted, seasons["fitted"]), _joined(held, seasons["held"])),
    }
    print(f"{'C2ST':>10}{'made':>10}{'real':>10}{'independent':>14}")
    for name, (ours, real, holdout) in tables.items():
        ours, real, holdout = (_plain(table) for table in (ours, real, holdout))
        floor = independent(real, np.random.default_rng(5))
        found = [100 * (2 - 2 * max(0.5, c2st_auc(table, holdout))) for table in (ours, real, floor)]
        print(f"{name:>10}{found[0]:>10.1f}{found[1]:>10.1f}{found[2]:>14.1f}", flush=True)


def _of(seasons: pa.Table, players: pa.Table) -> pa.Table:
    return seasons.filter(pc.is_in(seasons["players_id"], value_set=players["id"].combine_chunks()))


def _joined(players: pa.Table, seasons: pa.Table) -> pa.Table:
    return seasons.join(players, keys="players_id", right_keys="id", join_type="inner")


def _plain(table: pa.Table) -> pa.Table:
    """Without what is made anew, in random order."""
    kept = table.select([name for name in table.schema.names if name not in [*ANEW, "players_id"]])
    return kept.take(np.random.default_rng(9).permutation(kept.num_rows))


def _counts(players: pa.Table, seasons: pa.Table) -> np.ndarray:
    owners = pc.index_in(seasons["players_id"], value_set=players["id"].combine_chunks())
    return np.bincount(np.asarray(owners.combine_chunks()), minlength=players.num_rows)


def _ks(one: np.ndarray, two: np.ndarray) -> float:
    grid = np.arange(max(one.max(), two.max()) + 1)
    below = [np.searchsorted(np.sort(counts), grid, side="right") / len(counts) for counts in (one, two)]
    return float(np.abs(below[0] - below[1]).max())


def _disorder(seasons: pa.Table) -> int:
    frame = seasons.to_pandas()
    return int((frame.groupby("players_id", sort=False)["year"].diff() < 0).sum())


def _repeated(ids: pa.ChunkedArray) -> int:
    return len(ids) - pc.count_distinct(ids).as_py()


if __name__ == "__main__":
    main()
