"""How good a synthetic table is, as figures that can be written as JSON.

*Shape* compares columns one by one, *trend* pairs of columns; both are 1 for perfect, with the definitions of SDMetrics
(column shapes and column pair trends), but that theirs puts a column's greatest value and its nulls into one cell,
which moves a trend by less than .001. Theirs bins each table between its own extremes, so that one extreme row moves
the trend; `trend_shared` uses the source's bins on both sides. `fidelity/` looks at whole rows: whether they can be
told from real ones and by which columns, what they are good for, where they lie, and what is missing together. Every
figure stands between a floor (columns drawn independently of each other from the source) and a ceiling (one real half
against the other).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.table.sampling import sample_rows
from tasks.kinds.records.copies import copy_rate
from tasks.kinds.records.fidelity.measures import look_closer
from tasks.kinds.records.views import MADE_ANEW, View, side_by_side

VERSION = 2  # raise it when the same tables would have other figures: nothing else in a private job's key tells of them
MOST_ROWS = 100_000  # of each table; more would not move the figures
MOST_COLUMNS = 80  # in pairs
BINS = 10  # SDMetrics'
HISTOGRAM_BINS = 24
MOST_LABELS = 20
FEWEST = 10  # rows in a cell that may be shown


def figures(
    source: Path,
    synthetic: Path,
    seed: int,
    without: Sequence[str] = (),
    target: str | None = None,
    roles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The figures of a synthetic table, each from 0 to 1, and every column's histogram.

    Columns `without` are left out: references to another table, which are new. `target` is the column that the table
    shall predict. `roles` tell how the fit treats columns; without them the sample has to say. A figure is None where
    it cannot be measured.
    """
    rng = np.random.default_rng([seed, 1])
    real, made = (sample_rows(path, MOST_ROWS, rng, without=without) for path in (source, synthetic))
    views = side_by_side(real, made, roles)
    rate = copy_rate(views)
    told = {view.name: view.role for view in views}  # what half a table looks like must not decide again
    floor = side_by_side(real, independent(real, np.random.default_rng([seed, 2])), told)
    order = np.random.default_rng([seed, 3]).permutation(real.num_rows)
    half = max(len(order) // 2, 1)
    ceiling = side_by_side(real.take(order[:half]), real.take(order[half:] if half < len(order) else order), told)
    closer = look_closer(views, seed, target)
    return {
        **scores(views),
        **closer.figures,
        "copy_rate": round(rate.synthetic, 6),
        "floor": {**scores(floor), **closer.floor},
        "ceiling": {**scores(ceiling), **closer.ceiling, "copy_rate": round(rate.real, 6)},
        "betrayal": closer.betrayal,
        "utility": closer.utility,
        "columns": [_described(view) for view in views],
    }


def scores(views: Sequence[View]) -> dict[str, float]:
    """Shape, trend, trend with shared bins, and agreement of null shares, each 1 for perfect."""
    compared = [view for view in views if view.role not in (*MADE_ANEW, "empty")]
    paired = compared
    if len(paired) > MOST_COLUMNS:
        paired = [compared[i] for i in np.linspace(0, len(compared) - 1, MOST_COLUMNS).astype(int)]
    found = {
        "shape": _mean([column_shape(view) for view in compared]),
        "trend": _mean(_trends(paired, shared=False)),
        "trend_shared": _mean(_trends(paired, shared=True)),
        "nulls": 1 - _mean([abs(_nulls(v.source_codes) - _nulls(v.synthetic_codes)) for v in views], empty=0.0),
    }
    return {name: round(value, 6) for name, value in found.items()}


def column_shape(view: View) -> float:
    """1 − Kolmogorov–Smirnov distance of numbers and dates (nulls left out), 1 − total variation of categories."""
    if view.source is None or view.synthetic is None:
        return 1 - _variation(view.source_codes + 1, view.synthetic_codes + 1)
    real, made = (np.sort(numbers[~np.isnan(numbers)]) for numbers in (view.source, view.synthetic))
    if not len(real) or not len(made):
        return float(len(real) == len(made))
    everywhere = np.concatenate([real, made])
    below = [np.searchsorted(numbers, everywhere, side="right") / len(numbers) for numbers in (real, made)]
    return 1 - float(np.abs(below[0] - below[1]).max())


def _trends(views: Sequence[View], *, shared: bool) -> list[float]:
    """A score per pair: correlation where both are numbers, otherwise the joint distribution of cells."""
    cells = [_cells(view, shared) for view in views]
    found = []
    for (one, (one_real, one_made)), (two, (two_real, two_made)) in combinations(zip(views, cells, strict=True), 2):
        if one.is_number and two.is_number:
            real, made = _correlation(one.source, two.source), _correlation(one.synthetic, two.synthetic)
            found.append(np.nan if real is None else 1 - abs(real - (made or 0.0)) / 2)
        else:
            width = max(two_real.max(initial=0), two_made.max(initial=0)) + 1
            found.append(1 - _variation(one_real * width + two_real, one_made * width + two_made))
    return found


def _cells(view: View, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both columns as small whole numbers: codes of categories, ten bins of numbers, null a cell of its own."""
    if view.source is None or view.synthetic is None:
        return view.source_codes + 1, view.synthetic_codes + 1
    edges = _edges(view.source)
    return _digitize(view.source, edges), _digitize(view.synthetic, edges if shared else _edges(view.synthetic))


def _edges(numbers: np.ndarray) -> np.ndarray:
    present = numbers[~np.isnan(numbers)]
    edges = np.histogram_bin_edges(present, bins=BINS) if len(present) else np.linspace(0, 1, BINS + 1)
    return edges[1:-1]


def _digitize(numbers: np.ndarray, inner: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(numbers), 0, 1 + np.digitize(numbers, inner))


def _variation(real: np.ndarray, made: np.ndarray) -> float:
    """Total variation distance of two samples of whole numbers."""
    if not len(real) or not len(made):
        return float(len(real) != len(made))
    _, codes = np.unique(np.concatenate([real, made]), return_inverse=True)
    counts = np.bincount(codes[: len(real)], minlength=codes.max() + 1) / len(real)
    return float(np.abs(counts - np.bincount(codes[len(real) :], minlength=len(counts)) / len(made)).sum() / 2)


def _correlation(one: np.ndarray | None, two: np.ndarray | None) -> float | None:
    """Pearson's, over rows where both are present; None where one of them is constant."""
    assert one is not None
    assert two is not None
    both = ~(np.isnan(one) | np.isnan(two))
    if both.sum() < 2:
        return None
    x, y = one[both] - one[both].mean(), two[both] - two[both].mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / scale if scale > 0 else None


def _described(view: View) -> dict[str, Any]:
    """A column for the report: its histogram on both sides, cells of fewer than ten source rows left out."""
    described: dict[str, Any] = {
        "name": view.name,
        "type": view.type,
        "kind": view.role,
        "shape": None if view.role in (*MADE_ANEW, "empty") else round(column_shape(view), 6),
        "nulls": {"source": round(_nulls(view.source_codes), 6), "synthetic": round(_nulls(view.synthetic_codes), 6)},
    }
    if view.role in MADE_ANEW or view.role == "empty":
        return described
    return described | (_histogram(view) if view.is_number else _labelled(view))


def _histogram(view: View) -> dict[str, Any]:
    assert view.source is not None
    assert view.synthetic is not None
    real, made = (numbers[~np.isnan(numbers)] for numbers in (view.source, view.synthetic))
    if len(real) < FEWEST:
        return {"edges": [], "source": [], "synthetic": []}
    # the extremes are somebody's values: what lies beyond the tenth row from either end joins the outermost cells
    ordered = np.sort(real)
    low, high = ordered[FEWEST - 1], ordered[-FEWEST]
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1) if low < high else np.array([low, low + 1.0])
    if not np.any(real % 1) and view.role == "number":  # cells of whole numbers hold equally many of them
        step = max(1, -(-int(high - low + 1) // HISTOGRAM_BINS))
        edges = low + step * np.arange(-(-int(high - low + 1) // step) + 1)
    counts = [np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)[0] for numbers in (real, made)]
    named = [_date(view, edge) for edge in edges] if view.role == "date" else [float(edge) for edge in edges]
    return {"edges": named, "source": _shown(counts[0]), "synthetic": counts[1].tolist()}


def _labelled(view: View) -> dict[str, Any]:
    labels = view.labels or []
    counts = [np.bincount(codes + 1, minlength=len(labels) + 1) for codes in (view.source_codes, view.synthetic_codes)]
    order = np.argsort(-counts[0], kind="stable")
    frequent = [int(place) for place in order if counts[0][place] >= FEWEST]
    shown, rest = frequent[:MOST_LABELS], frequent[MOST_LABELS:]
    named = ["(null)" if place == 0 else str(labels[place - 1]) for place in shown]
    cells = [[int(side[place]) for place in shown] for side in counts]
    if rest:
        named.append(f"({len(rest)} more)")
        for side, count in zip(cells, counts, strict=True):
            side.append(int(count[rest].sum()))
    return {"labels": named, "source": cells[0], "synthetic": cells[1]}


def _date(view: View, units: float) -> str:
    array = view.source_array
    assert array is not None
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return str(np.datetime64(int(units), "s")).replace("T", " ")
    whole = pa.array([int(units)], type=pa.int64())
    kind = array.type
    narrow = whole.cast(pa.int32()) if pa.types.is_date32(kind) or pa.types.is_time32(kind) else whole
    return str(pc.cast(narrow.cast(kind), pa.string())[0].as_py()).split(".")[0]


def _shown(counts: np.ndarray) -> list[int | None]:
    return [None if 0 < count < FEWEST else int(count) for count in counts]


def _nulls(codes: np.ndarray) -> float:
    return float((codes < 0).mean()) if len(codes) else 0.0


def _mean(found: Sequence[float], empty: float = 1.0) -> float:
    kept = [value for value in found if not np.isnan(value)]
    return float(np.mean(kept)) if kept else empty


def independent(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """As many rows, every column drawn for itself with replacement."""
    rows = table.num_rows
    columns = [column.take(pa.array(rng.integers(rows, size=rows))) for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)
