"""How near a table made from a schema comes to what the schema declares.

*Shape* compares drawn columns with their distributions: 1 − Kolmogorov–Smirnov distance of numbers and dates, 1 − total
variation of texts and booleans; where another column decides, within each of its groups, weighted by rows. *Trend* is
1 − half the difference of asked and found correlations, as SDMetrics counts it. What follows from other columns
(formulas, templates) has no distribution of its own to compare with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.table.codec import plain_values
from models.table.declared.columns import Chance, Declared, Ready
from models.table.declared.marginals import Listed, Marginal
from models.table.declared.values import array_of, numbers_of

MOST_ROWS = 100_000  # rows come in no order, so that the first are as good as any
CELLS = 24
MOST_LABELS = 20


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a column is from its distribution, and how far a good one would be by chance."""

    found: float
    noise: float


def figures(declared: Declared, made: pa.Table) -> dict[str, Any]:
    """The figures of a table with the schema's columns; shape, trend and nulls are 1 for perfect."""
    made = made.slice(0, MOST_ROWS)
    distances = {column.name: distance(column, made) for column in declared.columns}
    met = correlations(declared, made)
    shapes = [1 - one.found for one in distances.values() if one is not None]
    shifts = [abs(made[c.name].null_count / made.num_rows - c.nulls) for c in declared.columns if _drawn(c)]
    scores = {"shape": _mean(shapes), "nulls": 1 - _mean(shifts, 0.0)}
    if met:
        scores["trend"] = _mean([1 - abs(one["asked"] - one["found"]) / 2 for one in met])
    return {
        **{name: round(score, 6) for name, score in scores.items()},
        "correlations": met,
        "columns": [_described(column, made, distances[column.name]) for column in declared.columns],
    }


def distance(column: Ready, made: pa.Table) -> Distance | None:
    """How far a column is from what is declared; None where it has no distribution or no values."""
    if not _drawn(column):
        return None
    parts, count = [], 0
    for marginal, numbers in _groups(column, made):
        if column.kind.measure in ("text", "boolean") and isinstance(marginal, Listed):
            parts.append((_variation(marginal, numbers), len(numbers)))
            count += len(marginal.numbers)
        else:
            parts.append((_farthest(marginal, numbers, column.kind.step), len(numbers)))
            count += 4
    rows = sum(size for _, size in parts)
    if not rows:
        return None
    return Distance(sum(found * size for found, size in parts) / rows, float(np.sqrt(count / rows)))


def correlations(declared: Declared, made: pa.Table) -> list[dict[str, Any]]:
    """Each declared correlation, asked and found; the latter 0 where a column came out constant."""
    found = []
    for pair, asked in declared.correlations.items():
        (one, valid), (other, also) = (_numbers(declared.by_name[name], made) for name in pair)
        both = valid & also
        with np.errstate(invalid="ignore", divide="ignore"):
            value = float(np.corrcoef(one[both], other[both])[0, 1]) if both.sum() > 1 else 0.0
        found.append({"columns": list(pair), "asked": asked, "found": round(value if value == value else 0.0, 6)})
    return found


def _drawn(column: Ready) -> bool:
    return isinstance(column.how, Chance)


def _numbers(column: Ready, made: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, valid) of a drawn column on its number line; texts by their places among the declared values."""
    values = plain_values(made[column.name])
    if column.texts is None:
        return numbers_of(values)
    places = pc.index_in(values, value_set=column.texts)
    return places.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.float64), np.asarray(values.is_valid())


def _groups(column: Ready, made: pa.Table) -> Iterator[tuple[Marginal, np.ndarray]]:
    """Each distribution that a column is drawn from, with the numbers that were."""
    how = column.how
    assert isinstance(how, Chance)
    numbers, valid = _numbers(column, made)
    groups = np.full(len(numbers), -1)
    if how.split is not None:
        groups = how.split.groups(plain_values(made[how.split.column]))
    for group in np.unique(groups[valid]):
        marginal = how.base if group < 0 or how.split is None else how.split.marginals[group]
        if marginal is not None:
            yield marginal, numbers[valid & (groups == group)]


def _variation(marginal: Listed, numbers: np.ndarray) -> float:
    known = np.searchsorted(marginal.numbers, numbers).clip(max=len(marginal.numbers) - 1)
    strange = marginal.numbers[known] != numbers
    shares = np.bincount(known[~strange], minlength=len(marginal.numbers)) / len(numbers)
    return float((np.abs(shares - marginal.weights).sum() + strange.mean()) / 2)


def _farthest(marginal: Marginal, numbers: np.ndarray, step: float | None) -> float:
    """Kolmogorov and Smirnov's distance between the numbers and their distribution."""
    values, counts = np.unique(numbers, return_counts=True)
    upto = np.cumsum(counts) / len(numbers)
    before = upto - counts / len(numbers)
    expected = marginal.below(values)
    if isinstance(marginal, Listed):
        places = np.searchsorted(marginal.numbers, values - 1e-9)
        lower = np.concatenate([[0.0], np.cumsum(marginal.weights)])[places]
    else:
        lower = expected if step is None else marginal.below(values - step)
    return float(max(np.abs(upto - expected).max(), np.abs(before - lower).max()))


def _described(column: Ready, made: pa.Table, found: Distance | None) -> dict[str, Any]:
    """A column for the report: its histogram beside what is declared; `source` is the declared side."""
    described: dict[str, Any] = {
        "name": column.name,
        "type": str(column.kind.arrow),
        "kind": type(column.how).__name__.lower(),
        "shape": None if found is None else round(1 - found.found, 6),
    }
    nulls = made[column.name].null_count / made.num_rows if made.num_rows else 0.0
    if _drawn(column):
        described["nulls"] = {"source": column.nulls, "synthetic": round(nulls, 6)}
    if found is None:
        return described
    groups = list(_groups(column, made))
    if column.texts is not None:
        return described | _labelled(column.texts.to_pylist(), groups)
    if column.kind.measure == "boolean":
        return described | _labelled(["false", "true"], groups)
    return described | _histogram(column, groups)


def _labelled(texts: list[str], groups: list[tuple[Marginal, np.ndarray]]) -> dict[str, Any]:
    """Declared and found counts of what the numbers stand for, the most frequent first."""
    declared, counted = np.zeros(len(texts)), np.zeros(len(texts))
    for marginal, numbers in groups:
        assert isinstance(marginal, Listed)
        declared[marginal.numbers.astype(int)] += marginal.weights * len(numbers)
        counted += np.bincount(numbers[numbers >= 0].astype(int), minlength=len(texts))
    order = np.argsort(-declared, kind="stable")
    shown, rest = order[:MOST_LABELS], order[MOST_LABELS:]
    labels = [texts[place] for place in shown]
    sides = [[round(float(side[place]), 2) for place in shown] for side in (declared, counted)]
    if len(rest):
        labels.append(f"({len(rest)} more)")
        for side, cells in zip((declared, counted), sides, strict=True):
            cells.append(round(float(side[rest].sum()), 2))
    return {"labels": labels, "source": sides[0], "synthetic": sides[1]}


def _histogram(column: Ready, groups: list[tuple[Marginal, np.ndarray]]) -> dict[str, Any]:
    numbers = np.concatenate([part for _, part in groups])
    low, high, step = float(numbers.min()), float(numbers.max()), column.kind.step
    if step is None:
        edges: np.ndarray = low + (high - low if high > low else 1.0) * np.arange(CELLS + 1) / CELLS
    else:  # cells hold equally many values of the grid, and begin half a step below one
        width = max(1, -(-round((high - low) / step + 1) // CELLS)) * step
        edges = low - step / 2 + width * np.arange(int((high - low) / width + 1e-9) + 2)
    declared = np.zeros(len(edges) - 1)
    for marginal, part in groups:
        declared += np.diff(marginal.below(edges)) * len(part)
    counted = np.histogram(numbers, edges)[0]
    named: list[Any] = [float(edge) for edge in edges]
    if column.kind.measure in ("date", "time", "datetime") and step is not None:
        inside = np.clip(edges + step / 2, column.kind.least, column.kind.most)
        named = [
            str(edge).split(".")[0] for edge in array_of(inside, np.ones(len(edges), bool), column.kind).to_pylist()
        ]
    return {"edges": named, "source": [round(float(cell), 2) for cell in declared], "synthetic": counted.tolist()}


def _mean(found: list[float], empty: float = 1.0) -> float:
    return float(np.mean(found)) if found else empty
