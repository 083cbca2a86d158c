"""All that a closer look at a synthetic table finds, each figure between its floor and its ceiling.

The floor are columns of the source drawn independently of each other, the ceiling one half of the source against the
other. A figure is None where a table has too few rows or no column to tell it by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.kinds.records.fidelity.coded import Coded, coded, independent, most_rows, thinned
from tasks.kinds.records.fidelity.detection import betrayal, detect
from tasks.kinds.records.fidelity.missingness import null_masks, nulls_together
from tasks.kinds.records.fidelity.neighbourhood import neighbourhood
from tasks.kinds.records.fidelity.utility import ratios, utility
from tasks.kinds.records.privacy.gower import for_gower
from tasks.kinds.records.views import View

NAMES = ("c2st", "tstr", "density", "coverage", "nulls_together")

Found = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Closer:
    """Figures by name, their floor and ceiling; the columns that betray the table; what it predicts how well."""

    figures: Found
    floor: Found
    ceiling: Found
    betrayal: list[dict[str, Any]]
    utility: list[dict[str, Any]]


def look_closer(views: Sequence[View], seed: int, target: str | None = None) -> Closer:
    """The figures in `NAMES` of two tables side by side, on samples of their rows that `seed` draws.

    `target` is the column that the table shall predict; without one, several are tried.
    """
    sides: tuple[Found, Found, Found] = ({}, {}, {})
    betraying: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    sample = thinned(views, seed, target)
    if sample:
        table = coded(sample)
        betraying = _detection(table, seed, sides)
        pairs = utility(sample, table, seed, target)
        for found, side in zip(sides, ("synthetic", "floor", "ceiling"), strict=True):
            found["tstr"] = ratios(pairs, side)
        _neighbourhood(sample, seed, sides)
    _missingness(views, seed, sides)
    figures, floor, ceiling = (_rounded(found) for found in sides)
    return Closer(figures, floor, ceiling, betraying, pairs)


def _detection(table: Coded, seed: int, sides: Sequence[Found]) -> list[dict[str, Any]]:
    half, most = len(table.real) // 2, most_rows(len(table.names))
    real = table.real[:most]
    others = (table.made, independent(real, [seed, 41]), table.real[half : 2 * half])
    betraying: list[dict[str, Any]] = []
    for found, one, other in zip(sides, (real, real, table.real[:half]), others, strict=True):
        detection = detect(one, other, table.categories, seed)
        found["c2st"] = None if detection is None else detection.c2st
        if detection is not None and found is sides[0]:
            betraying = betrayal(detection, table.names, table.categories, seed)
    return betraying


def _neighbourhood(sample: Sequence[View], seed: int, sides: Sequence[Found]) -> None:
    both = [for_gower(view) for view in sample]
    real, made = (np.stack([pair[which] for pair in both]) for which in (0, 1))
    half = real.shape[1] // 2
    others = (made, independent(real[:, :half].T, [seed, 42]).T.copy(), real[:, half : 2 * half])
    size = min(half, made.shape[1])
    for found, other in zip(sides, others, strict=True):
        lie = neighbourhood(real[:, :size], other)
        found["density"] = None if lie is None else lie.density
        found["coverage"] = None if lie is None else lie.coverage


def _missingness(views: Sequence[View], seed: int, sides: Sequence[Found]) -> None:
    real, made = null_masks(views)
    order = np.random.default_rng([seed, 43]).permutation(len(real))
    halves = [real[half] for half in np.array_split(order, 2)]
    compared = ((real, made), (real, independent(real, [seed, 44])), tuple(halves))
    for found, (one, other) in zip(sides, compared, strict=True):
        found["nulls_together"] = nulls_together(one, other)


def _rounded(found: Mapping[str, float | None]) -> Found:
    return {name: None if (value := found.get(name)) is None else round(value, 6) for name in NAMES}
