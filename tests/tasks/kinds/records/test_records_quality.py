"""The figures have SDMetrics' definitions, order good and bad tables, and show no small cells."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.kinds.records.quality import FEWEST, figures, scores
from tasks.kinds.records.views import side_by_side

ROWS = 3_000


def table(seed: int, *, broken: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, ROWS)
    income = age * 100 + rng.normal(0, 500, ROWS)
    job = np.where(rng.random(ROWS) < age / 100, "manager", "clerk")
    if broken:
        income = rng.permutation(income)
        job = rng.permutation(job)
    day = rng.integers(10_000, 18_000, ROWS)
    gone = rng.random(ROWS) < 0.2
    return pa.table(
        {
            "age": pa.array(age),
            "income": pa.array(np.round(income, 2)),
            "job": pa.array(job),
            "member": pa.array(rng.random(ROWS) < 0.5),
            "since": pa.array([None if lost else int(d) for d, lost in zip(day, gone, strict=True)], pa.int32()).cast(
                pa.date32()
            ),
        }
    )


def test_the_definitions_are_those_of_sdmetrics() -> None:
    properties = pytest.importorskip(
        "sdmetrics.reports.single_table._properties", reason="sdmetrics is a development dependency"
    )
    real, made = table(1), table(2, broken=True)
    ours = scores(side_by_side(real, made))
    frames = [t.to_pandas() for t in (real, made)]
    for frame in frames:
        frame["since"] = frame["since"].astype("datetime64[ns]")
    kinds = {"age": "numerical", "income": "numerical", "job": "categorical", "member": "boolean", "since": "datetime"}
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    shapes, trends = properties.ColumnShapes(), properties.ColumnPairTrends()
    trends.real_correlation_threshold = trends.real_association_threshold = 0  # all pairs, not only the strong ones
    assert ours["shape"] == pytest.approx(shapes.get_score(*frames, metadata), abs=1e-6)
    # Theirs bins by np.digitize with the last edge left open, so that the greatest value falls into the cell of nulls.
    assert ours["trend"] == pytest.approx(trends.get_score(*frames, metadata), abs=1e-3)


def test_broken_dependence_lowers_the_trend_but_not_the_shape() -> None:
    good, bad = (scores(side_by_side(table(1), made)) for made in (table(2), table(2, broken=True)))
    assert bad["shape"] == pytest.approx(good["shape"], abs=0.01)
    assert bad["trend"] < good["trend"] - 0.02
    assert bad["trend_shared"] < good["trend_shared"] - 0.02


def test_one_extreme_row_moves_the_trend_but_hardly_the_shared_one() -> None:
    real, made = table(1), table(2)
    wild = made.set_column(1, "income", pa.array([1e9, *made["income"].to_pylist()[1:]]))
    before, after = scores(side_by_side(real, made)), scores(side_by_side(real, wild))
    assert before["trend_shared"] - after["trend_shared"] < before["trend"] - after["trend"]


def test_figures_stand_between_floor_and_ceiling_and_are_json(tmp_path: Path) -> None:
    for name, made in (("real", table(1)), ("made", table(2))):
        pq.write_table(made, tmp_path / f"{name}.parquet")
    found = figures(tmp_path / "real.parquet", tmp_path / "made.parquet", seed=3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == figures(tmp_path / "real.parquet", tmp_path / "made.parquet", seed=3)
    assert found["floor"]["trend"] < found["trend"]
    for name in ("c2st", "tstr", "density", "coverage", "nulls_together"):
        assert set(found) & {name} == set(found["floor"]) & {name} == set(found["ceiling"]) & {name} == {name}
    assert found["floor"]["c2st"] < found["c2st"] - 0.2
    assert [pair["target"] for pair in found["utility"]] == ["age", "income", "job"]
    assert abs(found["trend"] - found["ceiling"]["trend"]) < 0.02
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["job"]["labels"][:2] == ["clerk", "manager"]
    assert len(columns["age"]["edges"]) == len(columns["age"]["source"]) + 1
    assert columns["since"]["nulls"]["source"] == pytest.approx(0.2, abs=0.03)
    assert dt.date.fromisoformat(columns["since"]["edges"][0]) < dt.date(1998, 1, 1)


def test_cells_of_few_rows_and_extremes_are_not_shown(tmp_path: Path) -> None:
    real = pa.table(
        {
            "salary": [1_000] * 500 + [2_000] * 500 + [987_654],
            "illness": ["cold"] * 600 + ["flu"] * 398 + ["rare one"] * 3,
            "name": [f"person {n * 17}" for n in range(1_001)],
        }
    )
    pq.write_table(real, tmp_path / "real.parquet")
    pq.write_table(real, tmp_path / "made.parquet")
    found = figures(tmp_path / "real.parquet", tmp_path / "made.parquet", seed=0)
    columns, text = found["columns"], json.dumps(found)
    assert "987654" not in text
    assert "987_654" not in text
    assert "rare one" not in text
    assert "person" not in text
    assert all(count is None or count == 0 or count >= FEWEST for c in columns for count in c.get("source", []))
