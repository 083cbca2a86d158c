"""Filling what was hidden: our families beside other people's ways, on the same hidden values of Adult.

    python benchmarks/imputation.py [--rows 4000] [--share 0.2] [--draws 5] [--methods bayes diffusion …] [--seed 0]

Values of nine columns are hidden, once completely at random and once four times as often in rows that are no husband's
(`relationship`, which is never hidden). Every method fills the same table `--draws` times. Figures are of the hidden
values alone, means over the columns. Categories: the share of values that the vote of the draws hits, that a single
draw hits, and the total variation between what one draw filled in and the truth (0: the same shares of every value).
Numbers: root mean square error of the mean of the draws, and KS and Wasserstein distance between what one draw filled
in and the truth; errors and Wasserstein in the column's own standard deviations. `own values` draws from what is left
of the column: completely at random, its distances are those of chance. CPU seconds of fit and draws.

scikit-learn's KNNImputer sees numbers standardized and a column for every category; the highest of those is the value.
Its IterativeImputer sees categories as codes, by frequency, and rounds: columns of one category would foretell each
other and never leave their means. `iterative` is its default, a chain of ridge regressions, `iterative drawn` the same
with sampled posteriors, `iterative trees` a chain of ten randomized trees, which suit codes better.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.records import TABLES

CATEGORIES = ["workclass", "education", "marital-status", "occupation", "sex", "income"]
NUMBERS = ["age", "education-num", "hours-per-week"]
HIDDEN = [*CATEGORIES, *NUMBERS]
OFTENER = 4  # times as often as in husbands' rows
FIGURES = ("vote", "draw", "TV", "RMSE", "KS", "Wasserstein")

Method = Callable[[pd.DataFrame, int, int], list[pd.DataFrame]]
"""From a table with nulls, the number of draws and a seed to that many completed tables (or one, if all are equal)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--share", type=float, default=0.2, help="of the values of nine columns that are hidden")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--adult", type=Path, default=TABLES / "adult-train.parquet", help="where Adult lies")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    table = pq.read_table(options.adult).to_pandas()
    whole = table.sample(options.rows, random_state=options.seed).reset_index(drop=True)
    oftener = np.where(whole["relationship"] == "Husband", 1, OFTENER)
    for name, weights in (("completely at random", np.ones(len(whole))), ("by another column", oftener)):
        holes = hide(whole, weights, options.share, options.seed)
        torn = whole.mask(holes)
        shown = f"{options.rows:,} rows of Adult, {holes[HIDDEN].to_numpy().mean():.0%} of {len(HIDDEN)} columns hidden"
        print(f"\n{shown} {name}; {options.draws} draws, seed {options.seed}")
        print(f"{'':>16}" + "".join(f"{title:>13}" for title in (*FIGURES, "CPU s")))
        for method in options.methods:
            began = time.process_time()
            filled = METHODS[method](torn, options.draws, options.seed)
            seconds = time.process_time() - began
            found = score(whole, holes, filled)
            cells = "".join(f"{found[figure]:>13.3f}" for figure in FIGURES)
            print(f"{method:>16}{cells}{seconds:>13.1f}", flush=True)


def hide(whole: pd.DataFrame, weights: np.ndarray, share: float, seed: int) -> pd.DataFrame:
    """Which values to hide: about `share` of the columns `HIDDEN`, in rows by their weights, columns apart."""
    rng = np.random.default_rng([seed, 1])
    chances = np.minimum(weights * share / weights.mean(), 0.95)
    return pd.DataFrame({name: (rng.random(len(whole)) < chances) & (name in HIDDEN) for name in whole})


def score(whole: pd.DataFrame, holes: pd.DataFrame, filled: Sequence[pd.DataFrame]) -> dict[str, float]:
    """The figures of some draws, on the hidden values, as means over columns (and draws)."""
    found: dict[str, list[float]] = {figure: [] for figure in FIGURES}
    for name in HIDDEN:
        hidden = holes[name].to_numpy()
        truth = whole[name].to_numpy()[hidden]
        draws = [frame[name].to_numpy()[hidden] for frame in filled]
        if name in CATEGORIES:
            found["vote"].append(float((pd.DataFrame(draws).mode().iloc[0].to_numpy() == truth).mean()))
            found["draw"].append(float(np.mean([(draw == truth).mean() for draw in draws])))
            found["TV"].append(float(np.mean([total_variation(truth, draw) for draw in draws])))
        else:
            spread = float(whole[name].std())
            exact, several = truth.astype(float), [draw.astype(float) for draw in draws]
            found["RMSE"].append(float(np.sqrt(((np.mean(several, axis=0) - exact) ** 2).mean())) / spread)
            gaps = [distances(exact, draw) for draw in several]
            found["KS"].append(float(np.mean([ks for ks, _ in gaps])))
            found["Wasserstein"].append(float(np.mean([moved for _, moved in gaps])) / spread)
    return {figure: float(np.mean(values)) for figure, values in found.items()}


def total_variation(one: np.ndarray, two: np.ndarray) -> float:
    """Half the sum of differences between the shares of every value, 0 to 1."""
    shares = [pd.Series(values).value_counts(normalize=True) for values in (one, two)]
    return float(shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2)


def distances(one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """KS and Wasserstein distance of as many values each, the latter in their own unit."""
    grid = np.unique(np.concatenate([one, two]))
    below = [np.searchsorted(np.sort(values), grid, side="right") / len(values) for values in (one, two)]
    return float(np.abs(below[0] - below[1]).max()), float(np.abs(np.sort(one) - np.sort(two)).mean())


def ours(family: str) -> Method:
    """Fitted as `pressrun impute` does, and drawn from the exact conditionals."""

    def filled(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
        from models.table.imputing import impute
        from models.table.model import fit_table

        table = pa.Table.from_pandas(torn, preserve_index=False)
        model, _ = fit_table(table, seed=seed, family=family)
        return [impute(model, table, seed + 1 + draw).to_pandas() for draw in range(draws)]

    return filled


def typical(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """A column's mean, or the commonest of its categories."""
    del draws, seed
    return [torn.fillna({n: torn[n].mode()[0] if n in CATEGORIES else torn[n].mean() for n in HIDDEN})]


def own_values(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """Values drawn from those that are left of the column."""
    rng = np.random.default_rng([seed, 2])
    filled = []
    for _ in range(draws):
        frame = torn.copy()
        for name in HIDDEN:
            gaps = frame[name].isna()
            frame.loc[gaps, name] = rng.choice(torn[name].dropna().to_numpy(), int(gaps.sum()))
        filled.append(frame)
    return filled


def neighbours(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """The mean of the five nearest rows."""
    del draws, seed
    from sklearn.impute import KNNImputer

    wide = spread_out(torn)
    return [gathered(torn, pd.DataFrame(KNNImputer().fit_transform(wide), columns=wide.columns))]


def iterative(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """Chained ridge regressions, their means."""
    del draws
    return [_chained(torn, random_state=seed)]


def iterative_trees(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """Chained randomized trees, their means."""
    del draws
    from sklearn.ensemble import ExtraTreesRegressor

    return [_chained(torn, estimator=ExtraTreesRegressor(n_estimators=10, random_state=seed), random_state=seed)]


def iterative_drawn(torn: pd.DataFrame, draws: int, seed: int) -> list[pd.DataFrame]:
    """Chained ridge regressions, drawn from; each draw is a chain of its own."""
    return [_chained(torn, sample_posterior=True, random_state=seed + draw) for draw in range(draws)]


def _chained(torn: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """`torn` filled by an IterativeImputer with `options`."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    values = {n: torn[n].value_counts().index for n in torn if not pd.api.types.is_numeric_dtype(torn[n])}
    coded = torn.assign(**{n: torn[n].map({v: code for code, v in enumerate(own)}) for n, own in values.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten rounds are its default, and it always says so
        found = IterativeImputer(**options).fit_transform(coded.astype(float))
    filled = torn.copy()
    for name in HIDDEN:
        gaps, made = torn[name].isna(), found[:, torn.columns.get_loc(name)]
        if name in values:
            made = values[name].to_numpy()[np.rint(made).clip(0, len(values[name]) - 1).astype(int)]
        filled.loc[gaps, name] = made[gaps]
    return filled


def spread_out(torn: pd.DataFrame) -> pd.DataFrame:
    """Numbers standardized, every category a column of 0 and 1; where a category is missing, all of its are."""
    pieces = []
    for name in torn:
        column = torn[name]
        if pd.api.types.is_numeric_dtype(column):
            pieces.append((column - column.mean()) / column.std())
        else:
            marks = pd.get_dummies(column, dtype=float).mask(column.isna())
            pieces.append(marks.set_axis([f"{name}={value}" for value in marks], axis=1))
    return pd.concat(pieces, axis=1)


def gathered(torn: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """`torn` with its gaps filled from a filled `spread_out`."""
    filled = torn.copy()
    for name in HIDDEN:
        gaps = torn[name].isna()
        if name in CATEGORIES:
            own = wide[[column for column in wide if str(column).startswith(f"{name}=")]].loc[gaps]
            filled.loc[gaps, name] = own.idxmax(axis=1).str.slice(len(name) + 1)
        else:
            filled.loc[gaps, name] = wide.loc[gaps, name] * torn[name].std() + torn[name].mean()
    return filled


METHODS: dict[str, Method] = {
    "mean or mode": typical,
    "own values": own_values,
    "neighbours": neighbours,
    "iterative": iterative,
    "iterative trees": iterative_trees,
    "iterative drawn": iterative_drawn,
    "bayes": ours("bayes"),
    "diffusion": ours("diffusion"),
}


if __name__ == "__main__":
    main()
