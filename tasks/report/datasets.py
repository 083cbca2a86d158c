"""What a report shows of synthetic tables: their figures between floor and ceiling, and every column beside its source.

The figures come from the run's own `quality/` objects. Cells of fewer than ten source rows are not drawn.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tasks.commit import DataSet
from tasks.kinds.records.gates import ATTACKS
from tasks.store import NotFound, Store

MAX_COLUMNS = 60
# What people look at first.
ORDER = (
    "shape",
    "trend",
    "trend_shared",
    "c2st",
    "tstr",
    "density",
    "coverage",
    "nulls",
    "nulls_together",
    "copy_rate",
    "membership",
    "inference",
    "nearness",
)
SHORT = {"c2st": "C2ST", "tstr": "TSTR"}
MEASURES = {"auc": "AUC", "accuracy": "accuracy", "r2": "R²"}
MOST_BETRAYING = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A quality figure with what shuffled columns reach (floor) and what real data reaches (ceiling)."""

    name: str
    value: float
    floor: float | None
    ceiling: float | None

    @property
    def label(self) -> str:
        return SHORT.get(self.name, self.name.replace("_", " ").capitalize())

    @property
    def ends_at(self) -> str:
        """What the ceiling is, in words: of a figure without a floor it is no best value."""
        if self.floor is not None:
            return "ceiling"
        return "nothing leaks" if self.name in ATTACKS else "real data"


@dataclass(frozen=True, slots=True)
class DataSetShown:
    """An accepted data set. Each of `rules` has its words and the shares of rows that break it, here and in the source;
    `acceptance` is the share of drawn rows that kept them all at once; `parent` tells how it hangs on its parent. A set
    that is `declared` by a schema has no source: its columns stand beside what the schema says, and so do
    `correlations`. `betrayal` names the columns by which the rows are told from real ones, `utility` what trees predict
    that were trained on them."""

    job_id: str
    variant: int
    rows: int
    files: list[str]
    figures: list[Figure]
    columns: list[dict[str, Any]]
    more_columns: int
    checks: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    acceptance: float | None
    parent: dict[str, Any]
    declared: bool = False
    correlations: list[dict[str, Any]] = field(default_factory=list)
    privacy: dict[str, float] = field(default_factory=dict)
    """ε and δ of a set that was made under differential privacy."""
    betrayal: list[dict[str, Any]] = field(default_factory=list)
    utility: list[dict[str, Any]] = field(default_factory=list)
    leaks: list[str] | None = None
    """The attacks that found something, in words; None where nothing was attacked, for want of rows held out."""


def data_sets(store: Store, run: str, made: list[DataSet]) -> list[DataSetShown]:
    """The data sets with their quality, as far as it stands."""
    return [_shown(entry, _quality(store, run, entry)) for entry in made]


def _quality(store: Store, run: str, entry: DataSet) -> dict[str, Any]:
    for key in entry.files:
        if key.startswith("quality/") and key.endswith(".json"):
            with suppress(NotFound, orjson.JSONDecodeError):
                found = orjson.loads(store.get(f"{run}/{key}"))
                return found if isinstance(found, dict) else {}
    return {}


def _shown(entry: DataSet, quality: dict[str, Any]) -> DataSetShown:
    figures = quality.get("figures") or {}
    columns = [
        {"name": "", "type": "", "shape": None, "nulls": None, **column} for column in figures.get("columns") or []
    ]
    return DataSetShown(
        job_id=entry.job_id,
        variant=entry.variant,
        rows=entry.rows,
        files=[key for key in entry.files if key.endswith(".parquet")],
        figures=_figures(figures),
        columns=columns[:MAX_COLUMNS],
        more_columns=max(0, len(columns) - MAX_COLUMNS),
        checks=quality.get("checks") or [],
        rules=[{"rule": "", "violations": None, "source": None, **rule} for rule in quality.get("constraints") or []],
        acceptance=_numbers(quality).get("acceptance"),
        parent=_parent(quality),
        declared=quality.get("declared") is True,
        correlations=_correlations(figures),
        privacy=_numbers(told) if isinstance(told := quality.get("privacy"), dict) else {},
        betrayal=_told(figures.get("betrayal"), "name", {"alone", "within"})[:MOST_BETRAYING],
        utility=_told(figures.get("utility"), "target", {"synthetic", "real", "floor", "ceiling"}),
        leaks=_leaks(figures.get("attacks")),
    )


def _leaks(attacks: Any) -> list[str] | None:
    told = attacks.get("leaks") if isinstance(attacks, dict) else None
    return [str(words) for words in told.values()] if isinstance(told, dict) else None


def _told(entries: Any, name: str, due: set[str]) -> list[dict[str, Any]]:
    """The entries that have a name and every number that is due."""
    return [
        {"measure": MEASURES.get(str(one.get("measure")), ""), **numbers, "name": str(one.get(name, ""))}
        for one in (entries if isinstance(entries, list) else [])
        if isinstance(one, dict) and due <= (numbers := _numbers(one)).keys()
    ]


def _correlations(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Asked and found correlations, with their columns in words."""
    told = figures.get("correlations")
    return [
        {"columns": " and ".join(map(str, one.get("columns") or [])), **numbers}
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and {"asked", "found"} <= (numbers := _numbers(one)).keys()
    ]


def _parent(quality: dict[str, Any]) -> dict[str, Any]:
    told = quality.get("parent") or {}
    numbers = {**_numbers(told), **_numbers(told.get("children_per_parent"))}
    return {**told, **numbers} if {"orphans", "out_of_order", "ks", "source", "synthetic"} <= numbers.keys() else {}


def _figures(figures: dict[str, Any]) -> list[Figure]:
    floor, ceiling = _numbers(figures.get("floor")), _numbers(figures.get("ceiling"))
    known = [Figure(name, value, floor.get(name), ceiling.get(name)) for name, value in _numbers(figures).items()]
    return sorted(known, key=lambda figure: ORDER.index(figure.name) if figure.name in ORDER else len(ORDER))


def _numbers(values: Any) -> dict[str, float]:
    return {name: float(value) for name, value in (values or {}).items() if isinstance(value, int | float)}
