"""Tables from schemas keep what the schemas declare: distributions, correlations, dependence, formulas, texts."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.table.constraints import parse_constraints
from models.table.declared import gauss
from models.table.declared.columns import parse_schema
from models.table.declared.drawing import CHUNK, Drawing, Impossible, check_drawable

ROWS = 20_000
KS = 1.95 / ROWS**0.5  # one sample in a thousand of the right distribution lies farther away


def schema(*columns: dict[str, Any], **more: Any) -> str:
    return json.dumps({"columns": list(columns), **more})


def drawn(*columns: dict[str, Any], rows: int = ROWS, seed: int = 1, rules: str = "", **more: Any) -> pa.Table:
    declared = parse_schema(schema(*columns, **more))
    return pa.Table.from_batches(Drawing(declared, parse_constraints(rules)).batches(rows, seed)).combine_chunks()


def column(kind: str, type_: str = "number", **parameters: Any) -> dict[str, Any]:
    return {"name": "x", "type": type_, "distribution": {"kind": kind, **parameters}}


def numbers(table: pa.Table, name: str = "x") -> np.ndarray:
    return table[name].cast(pa.float64()).to_numpy()


def farthest(values: np.ndarray, cumulative: Any) -> float:
    """Kolmogorov and Smirnov's distance from a continuous distribution."""
    ordered = np.sort(values)
    expected = np.array([cumulative(value) for value in ordered])
    places = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((expected - places[:-1]).max(), (places[1:] - expected).max()))


def test_the_normal_distribution_of_ours_is_the_librarys() -> None:
    shares = np.array([1e-12, 1e-5, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-12])
    expected = [NormalDist().inv_cdf(share) for share in shares]
    assert np.allclose(gauss.quantile(shares), expected, rtol=1e-7)
    assert np.allclose(gauss.cumulative(np.array(expected)), shares, rtol=1e-9)
    assert gauss.quantile(np.array([0.0, 1.0])).tolist() == [-math.inf, math.inf]


@pytest.mark.parametrize(
    ("declared", "cumulative"),
    [
        (column("uniform", min=-2, max=6), lambda x: (x + 2) / 8),
        (column("normal", mean=5, sd=2), NormalDist(5, 2).cdf),
        (
            column("normal", mean=0, sd=1, min=-1, max=2),
            lambda x: (NormalDist().cdf(x) - NormalDist().cdf(-1)) / (NormalDist().cdf(2) - NormalDist().cdf(-1)),
        ),
        (column("lognormal", median=20, sigma=0.7), lambda x: NormalDist(math.log(20), 0.7).cdf(math.log(x))),
        (column("exponential", mean=3), lambda x: 1 - math.exp(-x / 3)),
    ],
    ids=["uniform", "normal", "normal cut", "lognormal", "exponential"],
)
def test_numbers_follow_their_distribution(declared: dict[str, Any], cumulative: Any) -> None:
    assert farthest(numbers(drawn(declared)), cumulative) < KS


def test_counts_and_whole_numbers_follow_theirs() -> None:
    made = numbers(drawn(column("poisson", "integer", mean=2.5)))
    expected = [math.exp(-2.5) * 2.5**k / math.factorial(k) for k in range(6)]
    assert np.allclose([(made == k).mean() for k in range(6)], expected, atol=0.012)
    dice = numbers(drawn(column("uniform", "integer", min=1, max=6)))
    assert np.allclose([(dice == k).mean() for k in range(1, 7)], 1 / 6, atol=0.012)


def test_every_type_comes_out_as_its_arrow_type() -> None:
    table = drawn(
        {"name": "id", "type": "integer", "distribution": {"kind": "sequence", "start": 10, "step": 5}},
        {"name": "price", "type": "decimal", "scale": 3, "distribution": {"kind": "uniform", "min": 1, "max": 2}},
        {"name": "day", "type": "date", "distribution": {"kind": "uniform", "min": "2024-02-28", "max": "2024-03-01"}},
        {"name": "at", "type": "time", "distribution": {"kind": "normal", "mean": "12:00", "sd": 3600}},
        {"name": "when", "type": "datetime", "distribution": {"kind": "constant", "value": "2024-05-06T07:08:09"}},
        {"name": "ok", "type": "boolean", "values": {"true": 3, "false": 1}},
        {"name": "size", "type": "category", "values": ["s", "m", "l"]},
        {"name": "maybe", "type": "number", "nulls": 0.25, "distribution": {"kind": "constant", "value": 1.5}},
    )
    assert table.schema.types == [
        pa.int64(), pa.decimal128(15, 3), pa.date32(), pa.time64("us"), pa.timestamp("us"), pa.bool_(), pa.string(),
        pa.float64(),
    ]  # fmt: skip
    assert table["id"].to_pylist()[:3] == [10, 15, 20]
    assert Decimal("1.000") <= pc.min(table["price"]).as_py() <= Decimal("1.002")
    assert set(table["day"].to_pylist()) == {dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2024, 3, 1)}
    assert table["when"][0].as_py() == dt.datetime(2024, 5, 6, 7, 8, 9)
    assert pc.mean(table["ok"].cast(pa.int8())).as_py() == pytest.approx(0.75, abs=0.012)
    assert table["maybe"].null_count / ROWS == pytest.approx(0.25, abs=0.012)


def test_correlations_are_those_asked_for_whatever_the_distributions() -> None:
    table = drawn(
        {"name": "age", "type": "integer", "distribution": {"kind": "normal", "mean": 44, "sd": 16, "min": 0}},
        {"name": "cost", "type": "decimal", "distribution": {"kind": "lognormal", "median": 50, "sigma": 0.8}},
        {"name": "calls", "type": "integer", "nulls": 0.2, "distribution": {"kind": "poisson", "mean": 1}},
        {"name": "grade", "type": "category", "values": ["low", "middle", "high"], "ordered": True},
        correlations=[
            {"columns": ["age", "cost"], "value": 0.5},
            {"columns": ["calls", "age"], "value": -0.4},
            {"columns": ["grade", "age"], "value": 0.6},
        ],
    )
    grade = pc.index_in(table["grade"], value_set=pa.array(["low", "middle", "high"])).to_numpy()
    calls = table["calls"].to_numpy()
    there = ~np.isnan(calls)
    age = numbers(table, "age")
    assert np.corrcoef(age, numbers(table, "cost"))[0, 1] == pytest.approx(0.5, abs=0.03)
    assert np.corrcoef(age[there], calls[there])[0, 1] == pytest.approx(-0.4, abs=0.03)
    assert np.corrcoef(age, grade)[0, 1] == pytest.approx(0.6, abs=0.03)


def test_a_column_depends_on_another_by_value_and_by_band() -> None:
    table = drawn(
        {"name": "plan", "type": "category", "values": {"basic": 0.5, "plus": 0.5}},
        {"name": "age", "type": "integer", "distribution": {"kind": "uniform", "min": 0, "max": 99}},
        {
            "name": "spend",
            "type": "number",
            "distribution": {"kind": "normal", "mean": 10, "sd": 1},
            "given": {"column": "plan", "values": {"plus": {"mean": 30}}},
        },
        {
            "name": "ward",
            "type": "category",
            "given": {"column": "age", "bands": [{"below": 18, "then": {"child": 1}}, {"then": {"a": 0.2, "b": 0.8}}]},
        },
    ).to_pandas()
    assert table.spend[table.plan == "basic"].mean() == pytest.approx(10, abs=0.1)
    assert table.spend[table.plan == "plus"].mean() == pytest.approx(30, abs=0.1)
    assert set(table.ward[table.age < 18]) == {"child"}
    assert (table.ward[table.age >= 18] == "b").mean() == pytest.approx(0.8, abs=0.015)


def test_formulas_are_worked_out_over_the_row() -> None:
    table = drawn(
        {"name": "price", "type": "decimal", "distribution": {"kind": "uniform", "min": 1, "max": 9}},
        {"name": "how many", "type": "integer", "distribution": {"kind": "uniform", "min": 1, "max": 5}},
        {"name": "net", "type": "decimal", "formula": "price * `how many`"},
        {
            "name": "start",
            "type": "date",
            "distribution": {"kind": "uniform", "min": "2024-01-01", "max": "2024-12-31"},
        },
        {"name": "days", "type": "integer", "nulls": 0.1, "distribution": {"kind": "poisson", "mean": 3}},
        {"name": "end", "type": "date", "formula": "start + days"},
        {"name": "took", "type": "integer", "formula": "end - start"},
        {"name": "season", "type": "category", "formula": "'first' if start < '2024-07-01' else 'second'"},
        {"name": "long", "type": "boolean", "formula": "days > 3 and not season == 'first'"},
    )
    for row in table.slice(0, 200).to_pylist():
        assert row["net"] == row["price"] * row["how many"]
        assert row["season"] == ("first" if row["start"] < dt.date(2024, 7, 1) else "second")
        if row["days"] is None:
            assert row["end"] is row["took"] is row["long"] is None
        else:
            assert row["end"] == row["start"] + dt.timedelta(days=row["days"])
            assert row["took"] == row["days"]
            assert row["long"] == (row["days"] > 3 and row["season"] == "second")


def test_a_formula_that_gives_no_number_says_so() -> None:
    declared = parse_schema(
        schema(column("uniform", "integer", min=0, max=3), {"name": "y", "type": "number", "formula": "1 / x"})
    )
    with pytest.raises(Impossible, match=r"the formula of 'y' gives no number in .* a division by 0"):
        check_drawable(declared, [])


def test_texts_are_made_of_the_row_and_agree_within_it() -> None:
    table = drawn(
        {"name": "id", "type": "integer", "distribution": {"kind": "sequence"}},
        {"name": "day", "type": "date", "distribution": {"kind": "constant", "value": "2024-03-09"}},
        {"name": "code", "type": "text", "template": "P-{id:05}/{day:%d.%m.%y}{{{digits:2}{letters:3}}}"},
        {"name": "name", "type": "text", "template": "{first_name} {last_name}"},
        {"name": "mail", "type": "text", "template": "{first_name|ascii|lower}.{last_name|slug}@{pick:a.org,b.org}"},
        {"name": "key", "type": "text", "template": "{uuid}"},
        rows=3_000,
    )
    assert pc.all(pc.match_substring_regex(table["code"], r"^P-\d{5}/09\.03\.24\{\d{2}[A-Z]{3}\}$")).as_py()
    assert table["code"][1_233].as_py().startswith("P-01234/")
    for name, mail in zip(table["name"].to_pylist(), table["mail"].to_pylist(), strict=True):
        first = name.split(" ")[0].lower()
        assert not first.isascii() or mail.startswith(f"{first}.")
    assert mail.isascii()
    assert len(table["key"].unique()) == 3_000


def test_a_chunk_is_the_same_however_many_rows_are_asked_for() -> None:
    columns = (
        {"name": "id", "type": "integer", "distribution": {"kind": "sequence"}},
        column("normal", mean=0, sd=1),
        {"name": "name", "type": "text", "template": "{last_name} {digits:5}"},
    )
    rules = '[{"column": "x", "min": -1}, {"unique": ["name"]}]'
    many, few = drawn(*columns, rows=CHUNK + 3_000, rules=rules), drawn(*columns, rows=1_000, rules=rules)
    assert many.slice(0, 1_000).combine_chunks().equals(few)
    assert not drawn(*columns, rows=1_000, rules=rules, seed=2).equals(few)
    assert many["id"].to_pylist() == list(range(1, CHUNK + 3_001))


def test_constraints_hold_and_their_acceptance_is_known() -> None:
    declared = parse_schema(
        schema(
            {"name": "low", "type": "integer", "distribution": {"kind": "uniform", "min": 1, "max": 100}},
            {"name": "high", "type": "integer", "distribution": {"kind": "uniform", "min": 1, "max": 100}},
        )
    )
    drawing = Drawing(declared, parse_constraints('[{"less": ["low", "high"]}]'))
    table = pa.Table.from_batches(drawing.batches(ROWS, 3))
    assert pc.all(pc.less(table["low"], table["high"])).as_py()
    assert drawing.tally.kept / drawing.tally.drawn == pytest.approx(0.495, abs=0.02)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ('[{"column": "x", "min": 100}]', "0.00% keep “100 ≤ x”"),
        ('[{"unique": ["coin"]}]', "coin cannot be unique: after 2 rows"),
        ('[{"together": ["x", "coin"]}]', "a schema has none; write given"),
        ('[{"column": "agee", "min": 1}]', "'agee', which is no column of the schema"),
        ('[{"column": "id", "max": 9}]', "'id' follows from the number of its row"),
    ],
)
def test_impossible_constraints_are_refused_with_the_reason(rules: str, words: str) -> None:
    declared = parse_schema(
        schema(
            {"name": "id", "type": "integer", "distribution": {"kind": "sequence"}},
            column("normal", mean=0, sd=1),
            {"name": "coin", "type": "category", "values": ["heads", "tails"]},
        )
    )
    with pytest.raises(Impossible) as refused:
        check_drawable(declared, parse_constraints(rules))
    assert words in str(refused.value)
