"""Noisy counts made into chances. Whatever is done here sees noisy counts only, so that it costs no privacy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

UNLIKELY = 1e-9  # of a row: what noise made zero is not impossible
ROUNDS = 20  # of fitting a table to its margins


def settled(noisy: np.ndarray, totals: np.ndarray | float) -> np.ndarray:
    """The counts nearest to noisy ones that are not negative and add up to `totals` (the projection onto a simplex).

    Several rows of counts have a total each. Merely cutting off what is negative would leave rare values too frequent.
    """
    rows = np.atleast_2d(noisy)
    wanted = np.maximum(np.atleast_1d(np.asarray(totals, np.float64)), UNLIKELY)[:, None]
    falling = -np.sort(-rows, axis=1)
    excess = (np.cumsum(falling, axis=1) - wanted) / np.arange(1, rows.shape[1] + 1)
    last = np.maximum((falling > excess).sum(1) - 1, 0)
    kept = np.maximum(rows - np.take_along_axis(excess, last[:, None], 1), 0.0)
    return kept.reshape(noisy.shape)


def conditional(noisy: np.ndarray, sigma: float, own: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """The chances of the last axis given all others, of the shape of `noisy`, a table of counts with noise of `sigma`.

    `own` are the expected counts of the last axis alone, `parents` those of the other axes together: better known than
    this table knows them, so that it is fitted to both (Deming and Stephan 1940). Chances are estimated level by level:
    given nothing, given the first axis, given the first two, and so on. At each level every row of counts is drawn
    towards what the level before says of it, the more the less it stands out of the noise (James and Stein 1961).
    """
    size, axes = noisy.shape[-1], noisy.ndim - 1
    own = own + UNLIKELY
    own = own * parents.sum() / own.sum()
    chances = own / own.sum()
    for level in range(1, axes + 1):
        rest = tuple(range(level, axes))
        counts, rows = noisy.sum(rest).reshape(-1, size), parents.sum(rest).ravel() + UNLIKELY
        noise = sigma**2 * noisy.size / counts.size * size  # expected of a row's squared distance
        prior = np.broadcast_to(chances[..., None, :], (*noisy.shape[:level], size)).reshape(-1, size)
        expected = rows[:, None] * prior
        off = counts - expected
        trust = np.maximum(1 - noise / np.maximum((off**2).sum(1), UNLIKELY), 0.0)
        trust = np.minimum(trust, 2 * rows**2 / (2 * rows**2 + noise))  # all of a row elsewhere is 2 · rows² off
        table = settled(expected + trust[:, None] * off, rows) + UNLIKELY * prior
        chances = _fitted(table, own, rows).reshape(*noisy.shape[:level], size)
    return chances


def _fitted(table: np.ndarray, own: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Chances by row of a table whose columns add up to `own` and whose rows add up to `rows`, nearly."""
    for _ in range(ROUNDS):
        table = table * (own / np.maximum(table.sum(0), UNLIKELY))
        table = table * (rows / np.maximum(table.sum(1), UNLIKELY))[:, None]
    found: np.ndarray = table / table.sum(1, keepdims=True)
    return found


def total_of(histograms: Sequence[np.ndarray]) -> float:
    """How many rows there are, by several noisy histograms of them all: the fewer cells, the less noise in the sum."""
    weights = np.array([1 / histogram.size for histogram in histograms])
    sums = np.array([histogram.sum() for histogram in histograms])
    return max(float((weights * sums).sum() / weights.sum()), 1.0)


def grouped(counts: np.ndarray, least: float, ranks: Sequence[int] = ()) -> np.ndarray:
    """A group for each token: those that are expected at least `least` times have one of their own, others share.

    Where tokens are numbers, `ranks` are their places in the order of these, and neighbours share; otherwise all do.
    """
    groups = np.full(len(counts), -1)
    common = counts >= least
    groups[common] = np.arange(common.sum())
    rare = np.flatnonzero(~common)
    if len(ranks):
        rare = rare[np.argsort(np.asarray(ranks)[rare], kind="stable")]
    number, waiting, held = int(common.sum()), [], 0.0
    for token in rare:
        waiting.append(token)
        held += counts[token]
        if len(ranks) and held >= least:
            groups[waiting] = number
            number, waiting, held = number + 1, [], 0.0
    if waiting and (held >= least or number == 0):
        groups[waiting] = number
    elif waiting:  # too few for a group of their own
        groups[waiting] = number - 1
    return groups
