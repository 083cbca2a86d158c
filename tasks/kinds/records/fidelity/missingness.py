"""Whether values are missing together as they are in the source, and not only as often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.kinds.records.views import View

MOST_COLUMNS = 80


def null_masks(views: Sequence[View]) -> tuple[np.ndarray, np.ndarray]:
    """Where values of the source and of the synthetic table are null: bool, rows × columns that have nulls in either.

    Columns that are empty in the source are left out, and of more than 80 an even choice is taken.
    """
    with_nulls = [
        view
        for view in views
        if view.role != "empty" and ((view.source_codes < 0).any() or (view.synthetic_codes < 0).any())
    ]
    if len(with_nulls) > MOST_COLUMNS:
        with_nulls = [with_nulls[i] for i in np.linspace(0, len(with_nulls) - 1, MOST_COLUMNS).astype(int)]
    if not with_nulls:
        return np.zeros((0, 0), bool), np.zeros((0, 0), bool)
    return (
        np.stack([view.source_codes < 0 for view in with_nulls], axis=1),
        np.stack([view.synthetic_codes < 0 for view in with_nulls], axis=1),
    )


def nulls_together(real: np.ndarray, made: np.ndarray) -> float:
    """1 − the mean total variation, over pairs of columns, of which of the two is null: neither, one, the other, both.

    Takes the masks (rows × columns). 1 where fewer than two columns have nulls.
    """
    columns = real.shape[1]
    if columns < 2 or not len(real) or not len(made):
        return 1.0
    both, one = zip(*(_shares(side) for side in (real, made)), strict=True)
    first = [share[:, None] - pair for share, pair in zip(one, both, strict=True)]
    neither = [1 - share[:, None] - share[None, :] + pair for share, pair in zip(one, both, strict=True)]
    cells = (both, first, [cell.T for cell in first], neither)
    distances = sum(np.abs(cell[0] - cell[1]) for cell in cells) / 2
    return 1 - float(distances[np.triu_indices(columns, 1)].mean())


def _shares(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often two columns are null together (columns × columns), and each by itself."""
    floats = masks.astype(np.float32)
    return (floats.T @ floats).astype(np.float64) / len(masks), masks.mean(axis=0)
