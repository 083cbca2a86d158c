"""Which columns hang together: noisy scores of all pairs of columns, and who leans on whom by them.

The score of a pair is how many rows stand elsewhere than they would if the two were independent, Σ|n(a,b) − e(a,b)|,
where e comes from noisy counts already paid for (McKenna, Miklau and Sheldon 2021, "Winning the NIST contest"). One row
more moves one n(a,b) by 1, and so every score by no more than 1: all pairs together are one look of sensitivity √pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from models.table.counting import pair_counts

MOST_PARENTS = 2  # beside the target


def pair_scores(tokens: np.ndarray, expected: Sequence[np.ndarray], total: float) -> np.ndarray:
    """The score of every pair of columns, in the order of `combinations`. `tokens` are rows × columns, `expected` noisy
    counts of each column's tokens that add up to `total`."""
    columns = [np.ascontiguousarray(tokens[:, number]) for number in range(tokens.shape[1])]
    scores = []
    for one, two in combinations(range(len(columns)), 2):
        counts = pair_counts(columns[one], columns[two], (len(expected[one]), len(expected[two])))
        scores.append(np.abs(counts - np.outer(expected[one], expected[two]) / total).sum())
    return np.array(scores, dtype=np.float64)


def by_chance(expected: Sequence[np.ndarray], total: float) -> np.ndarray:
    """The scores that independent columns would have, for counts scatter: √(2e/π) for each cell."""
    found = []
    for one, two in combinations(range(len(expected)), 2):
        cells = np.outer(expected[one], expected[two]) / total
        found.append(np.minimum(2 * cells, np.sqrt(2 * cells / np.pi)).sum())
    return np.array(found, dtype=np.float64)


def lean_on(scores: np.ndarray, sizes: Sequence[int], most_cells: float, target: int | None) -> dict[int, list[int]]:
    """What each column leans on, in an order in which each comes after those it leans on.

    Columns join one by one, always the one with the highest score to any that is there (Prim). Each leans on the
    target, which comes first, and on those that have the highest scores with it, as long as the table has no more than
    `most_cells` and the score is above zero.
    """
    columns = len(sizes)
    told = np.zeros((columns, columns))
    for (one, two), score in zip(combinations(range(columns), 2), scores, strict=True):
        told[one, two] = told[two, one] = score
    first = target if target is not None else int(told.sum(1).argmax()) if columns else 0
    found: dict[int, list[int]] = {first: []} if columns else {}
    while len(found) < columns:
        there, left = list(found), [number for number in range(columns) if number not in found]
        joined = left[int(told[np.ix_(left, there)].max(1).argmax())]
        parents = [target] if target is not None and sizes[target] * sizes[joined] <= most_cells else []
        cells = sizes[joined] * int(np.prod([sizes[parent] for parent in parents]))
        room = MOST_PARENTS
        for other in sorted(there, key=lambda other: -told[joined, other]):
            if room == 0 or told[joined, other] <= 0:
                break
            if other in parents or cells * sizes[other] > most_cells:
                continue
            parents.append(other)
            cells *= sizes[other]
            room -= 1
        found[joined] = parents
    return found
