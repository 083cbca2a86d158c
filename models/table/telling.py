"""How well drawn rows can be told from real ones: the area under the ROC curve of boosted trees, .5 where they cannot.

What a network's training cannot see is seen by learners of another kind. Trees over tokens are boosted on the squared
error (Friedman 2001), and judged by rows that they did not learn from (a classifier two-sample test, Lopez-Paz and
Oquab 2017, https://arxiv.org/abs/1610.06545).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.table.number import Part

TREES, DEPTH, RATE = 60, 6, 0.3
PULL = 4.0  # rows that every leaf is thought to have at zero


def told_apart(
    parts: Sequence[Part], learned: tuple[np.ndarray, np.ndarray], judged: tuple[np.ndarray, np.ndarray]
) -> float:
    """The area under the curve over the rows `judged`, of trees that learned from others; both real and drawn tokens.

    It is the chance that of a real and a drawn row the drawn one looks more like it was drawn.
    """
    labels = np.repeat([-0.5, 0.5], [len(rows) for rows in learned])
    scores = _boosted(parts, np.concatenate(learned), labels, np.concatenate(judged))
    real, drawn = np.sort(scores[: len(judged[0])]), scores[len(judged[0]) :]
    below = np.searchsorted(real, drawn, side="left") + np.searchsorted(real, drawn, side="right")
    return float(below.mean() / (2 * len(real)))


def _boosted(parts: Sequence[Part], rows: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What trees fitted to the labels of `rows` say of `others`."""
    sizes = np.array([part.size for part in parts])
    ends = np.cumsum(sizes)
    begins, total = ends - sizes, int(ends[-1])
    part_of = np.repeat(np.arange(len(parts)), sizes)
    known, asked = _ordered(parts, rows) + begins, _ordered(parts, others) + begins
    found, said = np.zeros(len(rows)), np.zeros(len(others))
    for _ in range(TREES):
        rest = labels - found
        weights = np.repeat(rest, len(parts))
        at, there = np.zeros(len(rows), np.int64), np.zeros(len(others), np.int64)
        for depth in range(DEPTH):
            cells = (at[:, None] * total + known).ravel()
            shape = (2**depth, total)
            counts = np.bincount(cells, minlength=2**depth * total).reshape(shape)
            sums = np.bincount(cells, weights, minlength=2**depth * total).reshape(shape)
            best = _best_cuts(counts, sums, begins, ends, part_of)
            at = 2 * at + (known[np.arange(len(rows)), part_of[best[at]]] > best[at])
            there = 2 * there + (asked[np.arange(len(others)), part_of[best[there]]] > best[there])
        leaves = np.bincount(at, rest, 2**DEPTH) / (np.bincount(at, minlength=2**DEPTH) + PULL)
        found += RATE * leaves[at]
        said += RATE * leaves[there]
    return said


def _best_cuts(
    counts: np.ndarray, sums: np.ndarray, begins: np.ndarray, ends: np.ndarray, part_of: np.ndarray
) -> np.ndarray:
    """For each node the token of all parts that is best to cut behind; `counts` and `sums` are nodes × tokens."""
    below = [_within(values, begins, part_of) for values in (counts, sums)]
    above = [upto[:, ends - 1][:, part_of] - upto for upto in below]
    gains = sum(sides[1] ** 2 / (sides[0] + PULL) for sides in (below, above))
    return np.asarray(np.argmax(gains, axis=1))


def _within(values: np.ndarray, begins: np.ndarray, part_of: np.ndarray) -> np.ndarray:
    """Sums over a part's tokens up to each."""
    upto = np.concatenate([np.zeros((len(values), 1)), values.cumsum(1)], axis=1)
    return upto[:, 1:] - upto[:, begins][:, part_of]


def _ordered(parts: Sequence[Part], tokens: np.ndarray) -> np.ndarray:
    """Tokens by their places in the order of the numbers that they stand for."""
    return np.stack(
        [
            np.array(part.ranks)[tokens[:, place]] if part.ranks else tokens[:, place]
            for place, part in enumerate(parts)
        ],
        axis=1,
    )
