"""The columns that are learned, of a source and of a synthetic table, as samples that a learner of trees takes.

A number or a date is coded by its place among the distinct values of both tables: trees ask only which of two values is
greater, and places stay exact in 32 bits where times and large whole numbers would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.kinds.records.views import MADE_ANEW, View

MOST_ROWS = 10_000  # of each side of a comparison, and of the source twice as many, to compare its halves
MOST_CELLS = 200_000  # of each side, so that wide tables do not take minutes
MOST_COLUMNS = 60
MOST_CATEGORIES = 255  # the commonest have a code of their own, the others share the last


@dataclass(frozen=True, slots=True)
class Coded:
    """`real` and `made` are float32, rows × columns, NaN for null; `categories` tells which columns have no order."""

    names: list[str]
    categories: np.ndarray
    real: np.ndarray
    made: np.ndarray


def most_rows(columns: int) -> int:
    """How many rows of either side of a table with so many columns are compared."""
    return min(MOST_ROWS, MOST_CELLS // max(columns, 1))


def rows_seen(columns: int) -> int:
    """How many rows of the source of a table with so many columns are looked at."""
    return 2 * most_rows(min(columns, MOST_COLUMNS))


def thinned(views: Sequence[View], seed: int, target: str | None = None) -> list[View]:
    """Columns that are learned and not made anew, with a sample of their rows in random order.

    Of more than 60 columns an even choice is taken, `target` always among them.
    """
    kept = [view for view in views if view.role not in (*MADE_ANEW, "empty")]
    if len(kept) > MOST_COLUMNS:
        chosen = {*np.linspace(0, len(kept) - 1, MOST_COLUMNS).astype(int).tolist()}
        kept = [view for place, view in enumerate(kept) if place in chosen or view.name == target]
    if not kept:
        return []
    most = most_rows(len(kept))
    real = np.random.default_rng([seed, 21]).permutation(len(kept[0].source_codes))[: 2 * most]
    made = np.random.default_rng([seed, 22]).permutation(len(kept[0].synthetic_codes))[:most]
    return [
        replace(
            view,
            source_codes=view.source_codes[real],
            synthetic_codes=view.synthetic_codes[made],
            source=None if view.source is None else view.source[real],
            synthetic=None if view.synthetic is None else view.synthetic[made],
        )
        for view in kept
    ]


def coded(views: Sequence[View]) -> Coded:
    """The matrices of one view or more, with all of their rows."""
    sides = [_codes(view) for view in views]
    real, made = (np.stack([side[which] for side in sides], axis=1) for which in (0, 1))
    return Coded([view.name for view in views], np.array([not view.is_number for view in views]), real, made)


def independent(rows: np.ndarray, seed: Sequence[int]) -> np.ndarray:
    """As many rows, every column drawn for itself with replacement."""
    drawn = np.random.default_rng(seed).integers(max(len(rows), 1), size=rows.shape)
    return np.take_along_axis(rows, drawn, axis=0)


def _codes(view: View) -> tuple[np.ndarray, np.ndarray]:
    codes = np.concatenate([view.source_codes, view.synthetic_codes])
    if not view.is_number and codes.max(initial=-1) >= MOST_CATEGORIES:
        counts = np.bincount(codes[codes >= 0])
        places = np.empty(len(counts) + 1, np.int64)
        places[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        places[-1] = -1  # what the code of null, -1, looks up
        codes = np.minimum(places[codes], MOST_CATEGORIES - 1)
    floats = codes.astype(np.float32)
    floats[codes < 0] = np.nan
    return floats[: len(view.source_codes)], floats[len(view.source_codes) :]
