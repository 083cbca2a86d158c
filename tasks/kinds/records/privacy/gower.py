"""Distances between rows of mixed columns, and which rows are near: Gower's distance.

Every column adds from 0 to 1: a category 1 when it differs, a number the difference of its ranks among the real rows
(so that a long tail does not drown the rest), null beside a value 1. Source: Gower 1971, "A general coefficient of
similarity and some of its properties", with ranks in the place of ranges.

In numpy, which is as fast here on one processor as anything else: whoever judges a table needs no engine's libraries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.kinds.records.views import View

BLOCK = 1 << 18  # distances held at once, 1 MB: what fits a processor's cache is fastest
NULL = 2.0  # at least 1 away from every rank


def for_gower(view: View) -> tuple[np.ndarray, np.ndarray]:
    """A column's source and synthetic values as float32, whose distance is min(1, |a − b|)."""
    if view.source is None or view.synthetic is None:
        return view.source_codes.astype(np.float32), view.synthetic_codes.astype(np.float32)
    values, counts = np.unique(view.source[~np.isnan(view.source)], return_counts=True)
    if len(values) > 1:
        middles = np.cumsum(counts) - counts / 2
        ranks = (middles - middles[0]) / (middles[-1] - middles[0])
    else:  # one value, or none at all in this sample of a column that is nearly empty
        values, ranks = np.zeros(1), np.zeros(1)
    sides = [np.interp(side, values, ranks) for side in (view.source, view.synthetic)]
    ranked = [np.where(np.isnan(side), NULL, r) for side, r in zip((view.source, view.synthetic), sides, strict=True)]
    return ranked[0].astype(np.float32), ranked[1].astype(np.float32)


def nearest(asked: np.ndarray, among: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Distances (0 to 1, ascending) from rows to their k nearest among others, and which those are; both rows × k.

    Rows are given as columns × rows, here and below.
    """
    k = min(k, among.shape[1])
    found = []
    for _, distances in _blocks(asked, among):
        places = np.argpartition(distances, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(distances, places, axis=1)
        order = np.argsort(near, axis=1, kind="stable")
        found.append((np.take_along_axis(near, order, axis=1), np.take_along_axis(places, order, axis=1)))
    distances, places = (np.concatenate([pair[n] for pair in found]) for n in (0, 1))
    return distances / len(asked), places


def count_within(asked: np.ndarray, among: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """How many of the other rows are no farther from each row than its own `reach` (0 to 1): int64."""
    found = [
        (distances / len(asked) <= reach[rows, None]).sum(axis=1, dtype=np.int64)
        for rows, distances in _blocks(asked, among)
    ]
    return np.concatenate(found)


def nearest_without(asked: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which row is nearest when a column is left out of the distance: int64, columns × asked rows."""
    found = []
    for rows, whole in _blocks(asked, among):
        # the sum is taken once and each column off it again: columns² passes become columns
        left = np.empty_like(whole)
        found.append(
            np.stack(
                [
                    np.subtract(whole, _column(one, other, left), out=left).argmin(axis=1)
                    for one, other in zip(asked[:, rows], among, strict=True)
                ]
            )
        )
    return np.concatenate(found, axis=1)


def _blocks(asked: np.ndarray, among: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some asked rows after others, with their sums of distances (rows × others) to all of the others."""
    size = max(BLOCK // among.shape[1], 1)
    for start in range(0, asked.shape[1], size):
        rows = slice(start, min(start + size, asked.shape[1]))
        whole = np.zeros((rows.stop - start, among.shape[1]), np.float32)
        scratch = np.empty_like(whole)
        for one, other in zip(asked[:, rows], among, strict=True):
            whole += _column(one, other, scratch)
        yield rows, whole


def _column(asked: np.ndarray, among: np.ndarray, out: np.ndarray) -> np.ndarray:
    """What a column adds to every distance. Codes of categories are whole numbers, so that 1 is their least gap."""
    np.subtract(asked[:, None], among[None, :], out=out)
    return np.minimum(np.abs(out, out=out), 1, out=out)
