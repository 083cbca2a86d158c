"""What a synthetic table is good for: trees trained on it beside trees trained on real rows, both tried on real rows.

Source: Esteban et al. 2017, "Real-valued (medical) time series generation with recurrent conditional GANs" (train on
synthetic, test on real). The source is cut in three: one part trains, one is tried on, and the third trains once more,
which is the ceiling. The synthetic table's own model was fitted on all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tasks.kinds.records.fidelity.boosting import fit_trees
from tasks.kinds.records.fidelity.coded import Coded, independent
from tasks.kinds.records.privacy.estimates import auc
from tasks.kinds.records.views import View

MOST_ROWS = 4_000  # that train, and as many that are tried on
FEWEST_ROWS = 20
MOST_TARGETS = 5
MOST_CONSIDERED = 24
MOST_CLASSES = 20  # the commonest; rows of others are left out
FEWEST_OF_A_CLASS = 10  # rows of the source; of rarer ones nothing is learned
LEAST_SKILL = 0.05  # of the way from chance to certainty; what nothing tells of is no test of a table
BINS = 64  # of every number that is learned from; more would cost most of the time and lift all sides alike
TREES = 100  # in all; of several classes each has its own, so that there are fewer rounds
OUTERMOST = 0.01  # of the real numbers at either end count as the value there, for squares are ruled by a few


@dataclass(frozen=True, slots=True)
class Target:
    """A column to be predicted: class numbers, or numbers where `classes` is 0; NaN where a row has none."""

    name: str
    column: int
    classes: int
    real: np.ndarray
    made: np.ndarray

    @property
    def measure(self) -> str:
        return "r2" if not self.classes else "auc" if self.classes == 2 else "accuracy"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows without the target, and the target, of rows that have one."""

    rows: np.ndarray
    target: np.ndarray


def utility(views: Sequence[View], table: Coded, seed: int, target: str | None = None) -> list[dict[str, Any]]:
    """How well each target is predicted (`synthetic`, `real`, `floor`, `ceiling`): AUC, accuracy or R², 1 for perfect.

    Without a `target` those columns that the others tell most of are taken, five at most: categories and numbers.
    Empty where no column is one, or where there are too few rows.
    """
    size = min(len(table.real) // 3, len(table.made), MOST_ROWS)
    if size < FEWEST_ROWS or len(views) < 2:
        return []
    targets = [found for place, view in enumerate(views) if (found := _target(view, place)) is not None]
    if target is not None:
        chosen = [found for found in targets if found.name == target]
    else:
        chosen = _most_told(targets, table, size)
    return [_tried(one, table, size, seed) for one in chosen if _can_be_tried(one, size)]


def lacks(view: View) -> str:
    """What a column lacks that would make it a target, in words; empty where it is one."""
    known = int((view.source_codes >= 0).sum())
    if known < 3 * FEWEST_ROWS:
        return f"has {known} values, and to try what predicts them takes at least {3 * FEWEST_ROWS}"
    if _target(view, 0) is not None:
        return ""
    if view.role == "number":
        return "is the same number in nearly all rows, so that there is nothing to predict"
    return (
        f"has no two values that stand in at least {FEWEST_OF_A_CLASS} rows each, so that there is nothing to predict"
    )


def ratios(pairs: Sequence[dict[str, Any]], side: str) -> float | None:
    """The mean of what a side reaches of what real rows do, each at most 1; None where real rows reach nothing."""
    found = [min(pair[side] / pair["real"], 1.0) for pair in pairs if pair["real"] > LEAST_SKILL]
    return float(np.mean(found)) if found else None


def _target(view: View, column: int) -> Target | None:
    values, counts = np.unique(view.source_codes[view.source_codes >= 0], return_counts=True)
    if view.is_number and len(values) > 2:
        if view.role != "number":
            return None
        assert view.source is not None
        assert view.synthetic is not None
        present = view.source[~np.isnan(view.source)]
        if not len(present):
            return None
        low, high = np.quantile(present, [OUTERMOST, 1 - OUTERMOST])
        if low == high:
            return None
        # trees learn in 32 bits, where times of a minute are one number and 1e39 is none; R² is the same from 0 to 1
        sides = ((np.clip(side, low, high) - low) / (high - low) for side in (view.source, view.synthetic))
        return Target(view.name, column, 0, *sides)
    common = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    kept = np.sort(values[common[counts[common] >= FEWEST_OF_A_CLASS]])
    if len(kept) < 2:
        return None
    return Target(view.name, column, len(kept), _classes(view.source_codes, kept), _classes(view.synthetic_codes, kept))


def _classes(codes: np.ndarray, kept: np.ndarray) -> np.ndarray:
    places = np.searchsorted(kept, codes).clip(max=len(kept) - 1)
    return np.where(kept[places] == codes, places.astype(np.float64), np.nan)


def _can_be_tried(target: Target, size: int) -> bool:
    """Whether both real parts have enough rows, of more than one class."""
    for part in (target.real[:size], target.real[size : 2 * size]):
        present = part[~np.isnan(part)]
        if len(present) < FEWEST_ROWS:
            return False
        counts = np.bincount(present.astype(np.int64)) if target.classes else np.unique(present)
        if (target.classes and np.sort(counts)[-2:].min() < 2) or len(counts) < 2:
            return False
    return True


def _most_told(targets: Sequence[Target], table: Coded, size: int) -> list[Target]:
    """By a quick look at a few rows, the targets that the other columns tell most of, in the table's order."""
    few = min(size, MOST_ROWS // 3)
    considered = [one for one in targets if _can_be_tried(one, few)]
    if len(considered) > MOST_CONSIDERED:
        considered = [considered[i] for i in np.linspace(0, len(considered) - 1, MOST_CONSIDERED).astype(int)]
    skills = [_skill(one, table, few) for one in considered]
    order = sorted(range(len(considered)), key=lambda place: -skills[place])[:MOST_TARGETS]
    return [considered[place] for place in sorted(order) if skills[place] > 0]


def _skill(target: Target, table: Coded, size: int) -> float:
    """How far the other columns lead from chance to certainty; 0 where that may be chance too."""
    train, tried = (_part(target, table.real[at], target.real[at]) for at in (slice(size), slice(size, 2 * size)))
    chance = {"auc": 0.5, "r2": 0.0, "accuracy": 0.0}[target.measure]
    if target.measure == "accuracy":
        chance = float(np.bincount(tried.target.astype(np.int64)).max() / len(tried.target))
    found = _score(target, table.categories, train, tried, trees=TREES // 4, depth=4)
    skill = (found - chance) / max(1 - chance, 1e-9)
    return skill if skill >= max(LEAST_SKILL, 3 * _error(target, tried)) else 0.0


def _error(target: Target, tried: Part) -> float:
    """The standard error of a skill that is none; of an AUC, by the sizes of the classes (Mann and Whitney 1947)."""
    if target.measure == "auc":
        counts = np.bincount(tried.target.astype(np.int64), minlength=2)
        return float(np.sqrt((1 / counts).sum() / 3))
    return 1 / float(np.sqrt(len(tried.target)))


def _tried(target: Target, table: Coded, size: int, seed: int) -> dict[str, Any]:
    first, tried, third = (
        _part(target, table.real[at], target.real[at])
        for at in (slice(size), slice(size, 2 * size), slice(2 * size, 3 * size))
    )
    rng = np.random.default_rng([seed, 32, target.column])
    apart = replace(
        first,
        rows=independent(first.rows, [seed, 31, target.column]),
        target=first.target[rng.integers(len(first.target), size=len(first.target))],
    )
    trained = {
        "synthetic": _part(target, table.made[:size], target.made[:size]),
        "real": first,
        "floor": apart,
        "ceiling": third,
    }
    scores = {name: round(_score(target, table.categories, part, tried), 6) for name, part in trained.items()}
    return {"target": target.name, "measure": target.measure, **scores}


def _part(target: Target, rows: np.ndarray, values: np.ndarray) -> Part:
    known = ~np.isnan(values)
    return Part(np.delete(rows[known], target.column, axis=1), values[known])


def _score(
    target: Target, categories: np.ndarray, train: Part, tried: Part, trees: int = TREES, depth: int = 6
) -> float:
    """What trees that were fitted on `train` reach on `tried`: never below 0, and at chance where there is no row."""
    if not len(train.target):
        return 0.5 if target.classes == 2 else 0.0
    rounds = max(trees // target.classes, 5) if target.classes > 2 else trees
    kinds = np.delete(categories, target.column)
    fitted = fit_trees(train.rows, train.target, kinds, classes=target.classes, rounds=rounds, depth=depth, bins=BINS)
    guessed = fitted.predict(tried.rows)
    if target.classes == 2:
        return auc(guessed[tried.target == 1], guessed[tried.target == 0]).value
    if target.classes:
        return float((guessed.argmax(axis=1) == tried.target).mean())
    left = float(((tried.target - guessed) ** 2).sum())
    return max(0.0, 1 - left / float(((tried.target - tried.target.mean()) ** 2).sum()))
