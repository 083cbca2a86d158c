"""A closer look finds what was done to a table, names the column, and has nothing to say against the source itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.kinds.records.fidelity.coded import (
    MOST_CATEGORIES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    coded,
    most_rows,
    thinned,
)
from tasks.kinds.records.fidelity.measures import NAMES, Closer, look_closer
from tasks.kinds.records.fidelity.missingness import nulls_together
from tasks.kinds.records.fidelity.neighbourhood import neighbourhood
from tasks.kinds.records.gates import missed
from tasks.kinds.records.privacy.gower import count_within, nearest
from tasks.kinds.records.views import side_by_side

ROWS = 1_500


def people(seed: int) -> pa.Table:
    """Age decides income and job, plan nothing; phone and mail are missing together."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, ROWS)
    gone = rng.random(ROWS) < 0.3
    return pa.table(
        {
            "age": age,
            "income": np.round(age * 100 + rng.normal(0, 300, ROWS), 2),
            "job": np.where(rng.random(ROWS) < age / 90, "manager", "clerk"),
            "plan": rng.choice(["basic", "plus", "pro"], ROWS),
            "phone": pa.array(rng.integers(0, 90, ROWS).astype(float), mask=gone),
            "mail": pa.array(rng.choice(["a", "b"], ROWS), mask=gone),
        }
    )


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, table.schema.field(name).type))


def mixed(table: pa.Table, *names: str) -> pa.Table:
    """The table with each of these columns in an order of its own."""
    for place, name in enumerate(names):
        order = np.random.default_rng([9, place]).permutation(table.num_rows)
        table = replaced(table, name, table[name].take(pa.array(order)).combine_chunks())
    return table


def looked(real: pa.Table, made: pa.Table, target: str | None = None) -> Closer:
    found = look_closer(side_by_side(real, made), 3, target)
    json.dumps([found.figures, found.floor, found.ceiling, found.betrayal, found.utility], allow_nan=False)
    return found


REAL, MADE = people(1), people(2)


@pytest.fixture(scope="module")
def fair() -> Closer:
    return looked(REAL, MADE)


def test_another_sample_of_the_source_is_as_good_as_its_own_half(fair: Closer) -> None:
    assert tuple(fair.figures) == tuple(fair.floor) == tuple(fair.ceiling) == NAMES
    for name, value in fair.figures.items():
        assert value is not None
        assert value > 0.9, name
        assert value == pytest.approx(fair.ceiling[name], abs=0.08), name
        assert fair.floor[name] is not None
        assert fair.floor[name] < value - 0.05, name


def test_columns_drawn_independently_score_at_the_floor(fair: Closer) -> None:
    found = looked(REAL, mixed(MADE, *MADE.schema.names))
    for name, value in found.figures.items():
        assert value == pytest.approx(fair.floor[name], abs=0.12), name
    assert found.figures["c2st"] < 0.4  # type: ignore[operator]


def test_a_bootstrap_of_the_source_scores_high() -> None:
    found = looked(REAL, REAL.take(pa.array(np.random.default_rng(4).integers(ROWS, size=ROWS))))
    assert min(value for value in found.figures.values() if value is not None) > 0.9


def test_the_same_seed_finds_the_same(fair: Closer) -> None:
    assert looked(REAL, MADE) == fair


def test_a_column_that_is_wrong_by_itself_is_named_first(fair: Closer) -> None:
    plan = np.where(np.random.default_rng(5).random(ROWS) < 0.8, "basic", "pro")
    first, *others = looked(REAL, replaced(MADE, "plan", plan)).betrayal
    assert first["name"] == "plan"
    assert first["alone"] > 0.3
    assert max(one["alone"] for one in others) < 0.1
    assert max(max(one["alone"], one["within"]) for one in fair.betrayal) < 0.1


def test_a_column_that_is_wrong_beside_others_is_found_though_alone_it_is_right() -> None:
    found = looked(REAL, mixed(MADE, "income"))
    assert {one["name"] for one in found.betrayal[:2]} == {"income", "age"}
    by_name = {one["name"]: one for one in found.betrayal}
    assert by_name["income"]["alone"] < 0.1
    assert by_name["income"]["within"] > 0.3
    assert by_name["plan"]["within"] < 0.05


def test_what_nothing_tells_of_is_no_target_and_what_is_broken_is_not_learned(fair: Closer) -> None:
    measures = {pair["target"]: pair["measure"] for pair in fair.utility}
    assert measures == {"age": "r2", "income": "r2", "job": "auc"}
    for pair in looked(REAL, mixed(MADE, "income"), target="income").utility:
        assert pair["target"] == "income"
        assert pair["real"] > 0.9 > 0.2 > pair["synthetic"]
        assert pair["ceiling"] == pytest.approx(pair["real"], abs=0.05)
    assert looked(REAL.select(["plan", "mail"]), MADE.select(["plan", "mail"])).figures["tstr"] is None


def test_classes_that_the_synthetic_table_lacks_teach_nothing() -> None:
    size = {"clerk": "s", "manager": "m"}
    real, made = (t.append_column("size", pa.array([size[job] for job in t["job"].to_pylist()])) for t in (REAL, MADE))
    (pair,) = looked(real, replaced(made, "size", ["s"] * ROWS), target="size").utility
    assert pair["real"] == pytest.approx(1)
    assert pair["synthetic"] == pytest.approx(0.5, abs=0.01)
    (pair,) = looked(real, replaced(made, "size", [None] * ROWS), target="size").utility
    assert pair["synthetic"] == 0.5


@pytest.mark.parametrize(("low", "unit"), [(1.75e9, 60 / 8_000), (0, 1e36), (-1e300, 1e297)])
def test_numbers_that_32_bits_do_not_hold_are_predicted_as_well(fair: Closer, low: float, unit: float) -> None:
    real, made = (replaced(t, "income", low + unit * t["income"].to_numpy()) for t in (REAL, MADE))
    (pair,) = looked(real, made, target="income").utility
    (usual,) = [pair for pair in fair.utility if pair["target"] == "income"]
    assert pair == {name: value if isinstance(value, str) else pytest.approx(value, abs=0.002)
                    for name, value in usual.items()}  # fmt: skip


def test_nulls_are_compared_by_pairs() -> None:
    both = np.array([[1, 1], [0, 0]] * 50, bool)
    assert nulls_together(both, both) == 1
    assert nulls_together(both, ~both) == 1
    # one each instead of both or neither: every row is in another cell
    assert nulls_together(both, np.array([[1, 0], [0, 1]] * 50, bool)) == 0
    assert nulls_together(both, np.array([[1, 1], [0, 0], [1, 0], [0, 1]] * 25, bool)) == 0.5
    assert looked(REAL, mixed(MADE, "phone")).figures["nulls_together"] < 0.85  # type: ignore[operator]


def test_density_and_coverage_by_hand() -> None:
    rng = np.random.default_rng(6)
    real, made = (rng.random((3, rows)).astype(np.float32) for rows in (40, 40))
    gaps = np.abs(real[:, :, None] - real[:, None, :]).clip(max=1).sum(0) / 3
    reach = np.sort(gaps, axis=1)[:, 5]
    inside = np.abs(real[:, :, None] - made[:, None, :]).clip(max=1).sum(0) / 3 <= reach[:, None]
    found = neighbourhood(real, made)
    assert found is not None
    assert found.density == pytest.approx(min(inside.sum() / (5 * 40), 1), abs=0.011)
    assert found.coverage == pytest.approx(inside.any(axis=1).mean(), abs=0.026)
    assert neighbourhood(real, made[:, :19]) is None
    # one real row over and over is dense and covers little
    collapsed = neighbourhood(real, np.repeat(real[:, :1], 40, axis=1))
    assert collapsed is not None
    assert collapsed.coverage < 0.4
    same = np.zeros((2, 50), np.float32)
    assert count_within(same, same, nearest(same, same, 6)[0][:, 5]).tolist() == [50] * 50


def odd_tables() -> dict[str, pa.Table]:
    rng = np.random.default_rng(7)
    rows = 240
    days = [pa.array(rng.integers(0, 9_000, rows).astype(np.int32)).cast(pa.date32()) for _ in range(2)]
    words, numbers = rng.choice(["x", "y", "z"], rows), rng.normal(size=rows)
    return {
        "an all-null column": pa.table({"a": pa.nulls(rows, pa.int64()), "b": numbers, "c": words}),
        "nothing but nulls": pa.table({"a": pa.nulls(rows, pa.int64())}),
        "constant columns": pa.table({"a": [7] * rows, "b": ["k"] * rows}),
        "one row": pa.table({"a": [1], "b": ["x"]}),
        "only categories": pa.table({"a": words, "b": rng.choice(["u", "v"], rows)}),
        "only dates": pa.table({"a": days[0], "b": days[1]}),
        "one column": pa.table({"a": numbers}),
        "only a key and names": pa.table({"id": np.arange(rows), "name": [f"n {n * 17}" for n in range(rows)]}),
        "infinities": pa.table({"a": np.where(rng.random(rows) < 0.1, np.inf, numbers), "b": words}),
        "nothing but infinities beside words": pa.table({"a": np.full(rows, np.inf), "b": words}),
        "true, false and null": pa.table({"a": [True, False, None] * (rows // 3), "b": numbers}),
        "more categories than have codes": pa.table(
            {"a": [f"v{n % 300}" for n in range(5 * rows)], "b": [1, 2, 3] * (5 * rows // 3)}
        ),
        "times and large whole numbers": pa.table(
            {
                "a": pa.array(rng.integers(0, 10**15, rows)).cast(pa.timestamp("us")),
                "b": 2**60 + rng.integers(0, 99, rows),
            }
        ),
    }


@pytest.mark.parametrize("name", odd_tables())
def test_odd_tables_have_figures_or_none(name: str) -> None:
    real = odd_tables()[name]
    found = looked(real, real.take(pa.array(np.random.default_rng(8).integers(real.num_rows, size=real.num_rows))))
    assert found.figures["nulls_together"] is not None
    if name in ("one row", "nothing but nulls", "only a key and names"):
        assert {found.figures[name] for name in NAMES[:-1]} == {None}
        assert found.betrayal == found.utility == []
    else:
        assert found.figures["c2st"] > 0.7  # type: ignore[operator]
        assert found.figures["coverage"] > 0.8  # type: ignore[operator]


def test_a_column_whose_values_all_fall_outside_the_sample_is_compared_as_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.kinds.records.fidelity.coded.MOST_ROWS", 100)
    values = np.random.default_rng(11).normal(size=ROWS)
    values[1:] = np.nan
    sparse = REAL.append_column("sparse", pa.array(values, from_pandas=True))
    found = looked(sparse, sparse)
    assert found.figures["coverage"] is not None
    assert {"name": "sparse", "alone": 0.0, "within": 0.0} in found.betrayal


def test_a_target_of_many_classes_is_tried_on_the_commonest() -> None:
    rng = np.random.default_rng(12)
    town = rng.integers(0, 40, ROWS) * (rng.random(ROWS) < 0.7)  # the commonest is 0, others have some 26 rows
    table = pa.table({"town": [f"t{n}" for n in town], "code": town * 10, "age": rng.integers(0, 9, ROWS)})
    (pair,) = looked(table, table, target="town").utility
    assert pair["measure"] == "accuracy"
    assert pair["synthetic"] == pytest.approx(pair["real"], abs=0.1)
    assert pair["real"] > 0.7 > 0.6 > pair["floor"]


def test_wide_tables_are_compared_by_fewer_rows() -> None:
    assert most_rows(15) == MOST_ROWS
    assert most_rows(50) * 50 <= MOST_CELLS
    table = pa.table({f"c{n}": np.random.default_rng(n).integers(0, 3, 30_000) for n in range(50)})
    kept = thinned(side_by_side(table, table), 0)
    assert {len(view.source_codes) for view in kept} == {2 * most_rows(50)}
    assert {len(view.synthetic_codes) for view in kept} == {most_rows(50)}


def test_samples_are_bounded_in_columns_and_categories() -> None:
    rng = np.random.default_rng(10)
    wide = pa.table({f"c{n}": rng.integers(0, 3, 50) for n in range(130)})
    kept = [view.name for view in thinned(side_by_side(wide, wide), 0, target="c3")]
    assert len(kept) == MOST_COLUMNS + 1
    assert "c3" in kept
    many = pa.table({"a": [f"v{n % 400}" for n in range(2_000)]})
    table = coded(thinned(side_by_side(many, many), 0))
    assert np.nanmax(table.real) == MOST_CATEGORIES - 1


def test_a_gate_on_what_cannot_be_measured_is_missed_in_words() -> None:
    gates = '{"min": {"tstr": 0.9, "c2st": 0.5}}'
    assert missed(gates, {"tstr": 0.95, "c2st": 0.6}) == []
    (words,) = missed(gates, {"tstr": None, "c2st": 0.6})
    assert words.startswith("tstr cannot be measured")
    assert missed(gates, {"tstr": 0.9, "c2st": 0.4}) == ["c2st is 0.4, at least 0.5 is due"]
