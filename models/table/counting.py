"""Counts of tokens, what they say of rows not seen, and which column tells most of which.

A part's chances given another's token are counts drawn towards the part's own shares, (n(a,b) + s·p(b)) / (n(a) + s).
The strength s is, for each pair of parts, the one under which the counted rows were likeliest had each been left out of
the counts. The same figure says what one column tells of another: unlike plain mutual information, which grows with the
number of tokens even where there is nothing to tell, it is below zero where leaning on a column would not pay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.table.number import Part

STRENGTHS = np.array([0.01, 0.1, 1.0, 10.0, 100.0])  # rows' worth of the part's own shares
UNSEEN = 0.5  # rows' worth of every token in a part's own shares
MOST_COMPARED = 50_000  # rows that say which column leans on which; the tables themselves count every row


def shares(counts: np.ndarray) -> np.ndarray:
    """A part's own shares; a token that was never seen has some too."""
    kept: np.ndarray = (counts + UNSEEN) / (counts.sum() + UNSEEN * len(counts))
    return kept


def pair_counts(upper: np.ndarray, lower: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """How often each pair of tokens stands in one row: upper's tokens × lower's."""
    return np.bincount(upper * sizes[1] + lower, minlength=sizes[0] * sizes[1]).reshape(sizes)


def telling(counts: np.ndarray) -> tuple[float, float]:
    """What the upper part (rows of `counts`) tells of the lower, in nats over all rows, and the strength for it.

    Every row is judged by the others alone. Without rows nothing is told.
    """
    pairs = counts[counts > 0]
    if not len(pairs):
        return 0.0, float(STRENGTHS[-1])
    above, below = np.nonzero(counts)
    own = counts.sum(0)
    apart = ((own - 1 + UNSEEN) / (own.sum() - 1 + UNSEEN * len(own)))[below]
    beside = counts.sum(1)[above]
    strengths = STRENGTHS[:, None]
    ratios = np.log((pairs - 1 + strengths * apart) / ((beside - 1 + strengths) * apart))
    gains = ratios @ pairs
    best = int(gains.argmax())
    return float(gains[best]), float(STRENGTHS[best])


def conditional(counts: np.ndarray) -> np.ndarray:
    """The lower part's chances for each token of the upper, of the same shape as `counts`; none is zero."""
    strength = telling(counts)[1]
    kept: np.ndarray = (counts + strength * shares(counts.sum(0))) / (counts.sum(1, keepdims=True) + strength)
    return kept


def table_of(tokens: np.ndarray, parts: Sequence[Part], place: int, parent: int) -> np.ndarray:
    """A part's chances for each token of the part that it leans on; of one that leans on none a single row."""
    part = parts[place]
    if parent < 0:
        return shares(np.bincount(tokens[:, place], minlength=part.size))[None]
    counts = pair_counts(tokens[:, parent], tokens[:, place], (parts[parent].size, part.size))
    if part.gate is None:
        return conditional(counts)
    table = np.zeros(counts.shape)
    table[: part.gate, 0] = 1.0  # it does not apply
    table[part.gate :, 1:] = conditional(counts[part.gate :, 1:])
    return table


def lean_within(parts: Sequence[Part]) -> list[int]:
    """What each part leans on where columns are independent: a cell on its bin, all else on nothing (-1)."""
    return [-1 if part.gate is None else place - 1 for place, part in enumerate(parts)]


def lean(tokens: np.ndarray, parts: Sequence[Part]) -> list[int]:
    """What each part leans on, -1 for nothing: together the trees that tell most (Chow and Liu 1968).

    Columns lean on each other by their first parts. They are joined one by one, always the one that what is there
    tells most of (Prim); one that nothing tells of begins a tree of its own.
    """
    parents = lean_within(parts)
    first = [place for place, part in enumerate(parts) if part.gate is None]
    if not first:
        return parents
    told = _told(tokens[:: -(-len(tokens) // MOST_COMPARED)], parts, first)
    most, by = np.zeros(len(first)), np.full(len(first), -1)
    left = np.ones(len(first), dtype=bool)
    for _ in first:
        joined = int(np.where(left, most, -np.inf).argmax())
        left[joined] = False
        parents[first[joined]] = first[by[joined]] if by[joined] >= 0 else -1
        more = told[joined] > most
        most[more], by[more] = told[joined][more], joined
    return parents


def _told(tokens: np.ndarray, parts: Sequence[Part], first: Sequence[int]) -> np.ndarray:
    """What columns tell of each other, the mean of both directions: columns × columns."""
    told = np.zeros((len(first), len(first)))
    columns = [np.ascontiguousarray(tokens[:, place]) for place in first]
    for one in range(len(first)):
        for two in range(one):
            counts = pair_counts(columns[one], columns[two], (parts[first[one]].size, parts[first[two]].size))
            told[one, two] = told[two, one] = (telling(counts)[0] + telling(counts.T)[0]) / 2
    return told
