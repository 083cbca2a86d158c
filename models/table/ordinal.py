"""What the tokens of a number have in common: neighbours on the number line mean nearly the same.

Left to themselves, the embeddings of neighbouring values are learned one by one, and that of a rare value from few
rows. So in training an embedding is the token's own plus what it shares with its neighbours: a sum of hat functions on
the number line, from broad to narrow (the hierarchical basis of finite elements, Yserentant 1986).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.table.number import Part


def hats(parts: Sequence[Part], tokens: np.ndarray) -> np.ndarray:
    """How much of each hat function each token has: tokens of all parts × hats, 0 … 1.

    Hats lie over the numbers by rank and by mass in `tokens` (rows × parts), half and half. Parts without ranks have
    none.
    """
    each = [_hats_of(part, tokens[:, place]) for place, part in enumerate(parts)]
    found = np.zeros((sum(len(one) for one in each), sum(one.shape[1] for one in each)), dtype=np.float32)
    row = column = 0
    for one in each:
        found[row : row + len(one), column : column + one.shape[1]] = one
        row, column = row + len(one), column + one.shape[1]
    return found


def _hats_of(part: Part, tokens: np.ndarray) -> np.ndarray:
    scales = [2**power for power in range(1, part.size.bit_length()) if 2**power < part.size] if part.ranks else []
    if not scales:
        return np.zeros((part.size, 0))
    at = _positions(np.array(part.ranks), np.bincount(tokens, minlength=part.size))
    knots = [np.linspace(0, 1, scale + 1) for scale in scales]
    broad = [1 - np.abs(at[:, None] - peaks) * scale for peaks, scale in zip(knots, scales, strict=True)]
    return np.maximum(np.concatenate(broad, axis=1), 0)


def _positions(ranks: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Where tokens lie on the number line, 0 … 1: by rank and by mass, half and half."""
    sorted_counts = counts[np.argsort(ranks)]
    below = np.cumsum(sorted_counts) - sorted_counts / 2
    mixed = below[ranks] / max(counts.sum(), 1) + ranks / (len(ranks) - 1)
    found: np.ndarray = (mixed - mixed.min()) / (mixed.max() - mixed.min())
    return found
