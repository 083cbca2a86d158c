"""Rules and conditions: what is said is what is drawn, and what cannot be is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from models.table.arrangement import order_of
from models.table.conditions import Conditions, assign, check_conditions, parse_conditions
from models.table.constrained import ConstrainedSampler, Impossible
from models.table.constraints import (
    Constraint,
    Together,
    check_constraints,
    describe,
    parse_constraints,
    violations,
)
from models.table.model import CHUNK, TableModel, fit_table, load_model
from models.table.steps import CODED, FAMILIES

TEN = [
    {"column": "guests", "min": 1, "max": 6},
    {"column": "room", "in": ["single", "double", "suite"]},
    {"column": "code", "regex": "[A-Z]{3}-[0-9]{4}"},
    {"column": "email", "not_null": True},
    {"less": ["arrival", "departure"]},
    {"less": ["price", "total"], "or_equal": True},
    {"sum": ["price", "tax"], "equals": "total"},
    {"together": ["city", "country"]},
    {"unique": ["code"]},
    {"column": "arrival", "min": "2024-02-01", "max": "2024-11-30"},
]
PLACES = {"Oslo": "NO", "Bergen": "NO", "Lyon": "FR", "Nice": "FR", "Rome": "IT"}


def stays(rows: int = 4_000) -> pa.Table:
    """Hotel stays, in which most rules hold by and large but not everywhere."""
    rng = np.random.default_rng(0)
    arrival = rng.integers(19_723, 20_088, rows)
    cities = rng.choice(list(PLACES), rows)
    price = np.round(rng.gamma(4, 40, rows), 2)
    tax = np.round(price * rng.choice([0.06, 0.1, 0.2], rows), 2)
    room = rng.choice(["single", "double", "suite", "dormitory"], rows, p=[0.4, 0.4, 0.1, 0.1])
    return pa.table(
        {
            "arrival": pa.array(arrival.astype(np.int32), pa.int32()).cast(pa.date32()),
            "departure": pa.array((arrival + rng.integers(-1, 14, rows)).astype(np.int32)).cast(pa.date32()),
            "guests": pa.array(rng.integers(0, 9, rows)),
            "room": pa.array(room),
            "city": pa.array(cities),
            "country": pa.array([PLACES[city] if rng.random() < 0.999 else None for city in cities]),
            "price": pa.array(price),
            "tax": pa.array(tax),
            "total": pa.array(np.round(price + tax, 2)),
            "code": pa.array([f"AB{chr(65 + n % 26)}-{n:04d}" for n in range(rows)]),
            "email": pa.array([f"guest{n}@example.org" if n % 9 else None for n in range(rows)]),
            "vip": pa.array(np.where(rng.random(rows) < 0.01, "yes", "no")),
        }
    )


def fitted(
    table: pa.Table, constraints: list[Constraint], conditions: Conditions, family: str = "transformer"
) -> TableModel:
    torch.set_num_threads(1)
    together = [rule.columns for rule in constraints if isinstance(rule, Together)]
    order = order_of(table.schema.names, constraints, conditions)
    return fit_table(table, seed=0, steps=200, family=family, order=order, together=together)[0]


def drawn(
    model: TableModel, rows: int, constraints: list[Constraint], conditions: Conditions, seed: int = 1
) -> tuple[pa.Table, ConstrainedSampler]:
    rules = model.constrained(constraints, conditions)
    return pa.Table.from_batches(list(model.sample(rows, seed, rules))), rules


@pytest.fixture(scope="module")
def ten() -> list[Constraint]:
    return parse_constraints(json.dumps(TEN))


@pytest.fixture(scope="module", params=[family for family in FAMILIES if family not in CODED])
def hotel(request: pytest.FixtureRequest, ten: list[Constraint]) -> TableModel:
    return fitted(stays(), ten, Conditions(), request.param)


def test_ten_rules_hold_in_every_row(hotel: TableModel, ten: list[Constraint]) -> None:
    source = stays()
    table, rules = drawn(hotel, CHUNK + 100, ten, Conditions())
    assert table.num_rows == CHUNK + 100
    assert table.schema.equals(source.schema)
    for rule in ten:
        assert not violations(rule, table, source).any(), describe(rule)
    broken = [rule for rule in ten if violations(rule, source, source).any()]
    assert len(broken) >= 5, "rules that the source keeps by itself prove nothing"
    assert rules.tally.kept / rules.tally.drawn > 0.5


def test_the_rest_of_the_table_stays_as_it_was(hotel: TableModel, ten: list[Constraint]) -> None:
    source = stays()
    keeping = np.logical_and.reduce([~violations(rule, source, source) for rule in ten])
    like, table = source.filter(pa.array(keeping)), drawn(hotel, 4_000, ten, Conditions())[0]
    for name in ("price", "guests"):
        assert pc.mean(table[name]).as_py() == pytest.approx(pc.mean(like[name]).as_py(), rel=0.08)
    share = pc.mean(pc.equal(table["room"], "suite").cast(pa.float64())).as_py()
    assert share == pytest.approx(pc.mean(pc.equal(like["room"], "suite").cast(pa.float64())).as_py(), abs=0.04)


def test_a_sample_under_rules_repeats_and_is_the_beginning_of_a_longer_one(
    hotel: TableModel, ten: list[Constraint]
) -> None:
    short, _ = drawn(hotel, 500, ten, Conditions())
    assert short.equals(drawn(hotel, 500, ten, Conditions())[0])
    assert short.equals(drawn(hotel, 900, ten, Conditions())[0].slice(0, 500))
    assert not short.equals(drawn(hotel, 500, ten, Conditions(), seed=2)[0])


def test_a_rare_class_is_brought_to_half_of_the_rows(tmp_path: Path) -> None:
    conditions = parse_conditions('{"vip": {"shares": {"yes": 0.5}}}')
    fitted(stays(), [], conditions).save(tmp_path)
    table, _ = drawn(load_model(tmp_path), 1_001, [], conditions)
    assert pc.sum(pc.equal(table["vip"], "yes")).as_py() == 501
    assert set(table["vip"].to_pylist()) == {"yes", "no"}


def test_given_values_and_ranges_hold_and_the_rest_follows() -> None:
    rng = np.random.default_rng(1)
    size = rng.integers(0, 3, 4_000)
    source = pa.table(
        {"price": np.round(10.0 * 4.0**size + rng.normal(0, 1, 4_000), 2), "size": np.array(["S", "M", "L"])[size]}
    )
    conditions = parse_conditions('{"size": "M"}')
    model = fitted(source, [], conditions)
    table, _ = drawn(model, 500, [], conditions)
    assert set(table["size"].to_pylist()) == {"M"}
    assert np.median(table["price"].to_numpy()) == pytest.approx(40, abs=2)
    dear = parse_conditions('{"price": {"min": 100}}')
    table, rules = drawn(fitted(source, [], dear), 5_000, [], dear)
    assert min(table["price"].to_pylist()) >= 100
    assert table["size"].to_pylist().count("L") > 4_900
    assert rules.tally.kept == rules.tally.drawn


@pytest.mark.parametrize("family", CODED)
@pytest.mark.parametrize(
    ("rules", "conditions"), [('[{"column": "guests", "min": 1}]', ""), ("", '{"vip": {"shares": {"yes": 0.5}}}')]
)
def test_what_draws_whole_rows_from_codes_is_not_steered(family: str, rules: str, conditions: str) -> None:
    model, _ = fit_table(stays(60), seed=0, steps=2, family=family)
    with pytest.raises(ValueError, match=r"no condition or constraint can steer them: .* the family transformer"):
        model.constrained(parse_constraints(rules), parse_conditions(conditions))


def test_shares_of_several_values_hold_at_any_length() -> None:
    shares = (0.2, 0.3, 0.1)
    whole = assign(shares, 0, 1_000)
    assert np.array_equal(whole[300:], assign(shares, 300, 700))
    assert np.array_equal(assign((0.25, 0.75), 10**9, 8), assign((0.25, 0.75), 0, 8))
    for rows in (10, 137, 1_000):
        counts = np.bincount(whole[:rows], minlength=4)
        assert np.abs(counts - rows * np.array([*shares, 0.4])).max() <= 1


def test_rules_that_leave_nothing_are_named() -> None:
    source = pa.table({"a": np.arange(1_000) % 50, "b": np.arange(1_000) % 50 + 100, "c": ["x", "y"] * 500})
    rules = parse_constraints('[{"less": ["b", "a"]}]')
    with pytest.raises(Impossible, match="b < a"):
        drawn(fitted(source, rules, Conditions()), 10, rules, Conditions())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ('{"column": "a"}', "no JSON list"),
        ("[3]", "constraint 1: a rule is an object"),
        ('[{"column": "a", "min": 1}, {"column": "a"}]', "constraint 2: a rule of a column has"),
        ('[{"column": "a", "least": 1}]', "not least"),
        ('[{"less": ["a"]}]', "list of 2 column names"),
        ('[{"sum": ["a", "a"], "equals": "b"}]', "twice"),
        ('[{"column": "a", "regex": "("}]', "no regular expression"),
        ('[{"column": "a", "in": []}]', "no list of values"),
        ('[{"ratio": 2}]', "no rule with ratio"),
        ('[{"column": "a", "min": null}]', "a bound is null"),
        ('[{"column": "a", "max": NaN}]', "a bound is null or no number"),
        ('[{"column": "a", "not_null": false}]', "not_null can only be true"),
        ('[{"sum": ["a", "b"], "equals": "a"}]', "'a' is a term of its own sum"),
    ],
)
def test_rules_that_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_constraints(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"column": "nights", "min": 1}]', "'nights', which is no column"),
        ('[{"column": "guests", "regex": "x"}]', "'guests' is int64"),
        ('[{"column": "guests", "min": "many"}]', "no number to compare 'guests' with"),
        ('[{"column": "arrival", "min": "tomorrow"}]', "cannot be values of a column of type date32"),
        ('[{"column": "guests", "in": ["two"]}]', "cannot be values of a column of type int64"),
        ('[{"sum": ["arrival", "price"], "equals": "total"}]', "only numbers add up, and 'arrival' is date32"),
        ('[{"column": "room", "max": "single"}]', "'room' is text"),
        ('[{"less": ["room", "price"]}]', "'room' is text"),
        ('[{"less": ["arrival", "price"]}]', "cannot be compared"),
    ],
)
def test_rules_that_do_not_fit_the_table(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_constraints(parse_constraints(text), stays(10))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "no JSON object"),
        ('{"vip": {"shares": {"yes": 0.7, "no": 0.7}}}', "condition on 'vip': each share"),
        ('{"vip": {"shares": [["yes", 0.1], ["yes", 0.1]]}}', "two shares"),
        ('{"stars": 5}', "'stars', which is no column"),
        ('{"guests": "four"}', "cannot be values"),
    ],
)
def test_conditions_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_conditions(parse_conditions(text), stays(10))


def test_a_value_that_the_source_lacks_cannot_be_given() -> None:
    conditions = parse_conditions('{"room": "castle"}')
    model = fitted(stays(400), [], conditions)
    with pytest.raises(ValueError, match="room = 'castle' lies outside"):
        model.constrained([], conditions)


def mixed(rows: int = 400) -> pa.Table:
    """A table with the odder kinds of columns."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(5, 1, rows).astype(np.float32), rng.normal(5, 1, rows).astype(np.float32)
    days = pa.array(rng.integers(18_000, 18_400, rows).astype(np.int32)).cast(pa.date32())
    coded = pa.array(rng.choice(["x", "y", "z"], rows)).dictionary_encode()
    return pa.table(
        {
            "id": np.arange(1, rows + 1),
            "code": [f"{'ABC'[n % 3]}{n:05d}" for n in range(rows)],
            "g": np.arange(rows) % 20,
            "h": np.arange(rows) % 7 - 3,
            "a": a,
            "b": b,
            "ab": a + b,
            "kind": pa.chunked_array([coded.slice(0, 200), coded.slice(200)]),
            "day": pc.strftime(days.cast(pa.timestamp("s")), format="%d.%m.%Y"),
            "when": pa.array(rng.integers(0, 10**9, rows), pa.timestamp("s", tz="Europe/Oslo")),
            "note": pa.array([None if n % 4 == 0 else "yes" for n in range(rows)]),
        }
    )


def one(rules: str = "", conditions: str = "", rows: int = 20, key: str | None = None) -> pa.Table:
    """A sample of the mixed table under rules."""
    torch.set_num_threads(1)
    parsed, given = parse_constraints(rules), parse_conditions(conditions)
    source = mixed()
    together = [rule.columns for rule in parsed if isinstance(rule, Together)]
    order = order_of(source.schema.names, parsed, given)
    model, _ = fit_table(source, seed=0, steps=5, primary_key=key, order=order, together=together)
    table, _ = drawn(model, rows, parsed, given)
    for rule in [*parsed, *given.rules]:
        assert not violations(rule, table, source).any(), describe(rule)
    return table


def test_few_rows_need_only_as_many_good_ones() -> None:
    assert one('[{"unique": ["g", "kind"]}]', rows=50).num_rows == 50
    assert one('[{"unique": ["h"]}]', rows=7).num_rows == 7  # among them -1 and -2, which hash alike
    with pytest.raises(Impossible, match="h unique"):
        one('[{"unique": ["h"]}]', rows=8)


def test_running_keys_cannot_be_steered() -> None:
    for rules, conditions in (('[{"column": "id", "max": 420}]', ""), ("", '{"id": 7}')):
        with pytest.raises(ValueError, match="'id' is a running key"):
            one(rules, conditions, key="id")
    assert one('[{"unique": ["id"]}, {"column": "id", "not_null": true}]', key="id")["id"].to_pylist()[0] == 401


def test_texts_made_from_a_pattern_are_new_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.table.constrained.BARREN", 1)
    monkeypatch.setattr("models.table.constrained.REDRAWS", 2)
    monkeypatch.setattr("models.table.model.CHUNK", 1_024)
    made = one('[{"column": "code", "regex": "[ABC]00[0-9]{3}"}]', rows=700, key="code")["code"].to_pylist()
    assert len(set(made)) == 700
    assert not set(made) & set(mixed()["code"].to_pylist())
    with pytest.raises(Impossible):
        one('[{"column": "code", "regex": "[ABC]00[0-3][0-9]"}]', rows=200, key="code")


def test_columns_of_several_dictionaries_stand_together() -> None:
    one('[{"together": ["kind", "note"]}, {"unique": ["kind", "g"]}]', rows=30)


def test_sums_of_narrow_floats_are_exact_enough() -> None:
    source = mixed()
    (rule,) = parse_constraints('[{"sum": ["a", "b"], "equals": "ab"}]')
    assert not violations(rule, source).any()
    one('[{"sum": ["a", "b"], "equals": "ab"}]', rows=200)


def test_dates_in_text_are_given_in_the_column_s_own_format() -> None:
    assert set(one(conditions='{"day": "2019-06-03"}')["day"].to_pylist()) == {"03.06.2019"}


def test_a_null_is_given_only_where_there_are_nulls() -> None:
    assert one(conditions='{"note": null}')["note"].null_count == 20
    with pytest.raises(ValueError, match="h = None lies outside"):
        one(conditions='{"h": null}')


def test_instants_are_written_with_or_without_a_zone() -> None:
    for bound in ("1990-01-01", "1990-01-01T00:00:00Z", "1990-01-01T01:00:00+01:00"):
        one(f'[{{"column": "when", "min": "{bound}"}}]')


def test_sums_of_sums_come_in_order() -> None:
    rules = parse_constraints('[{"sum": ["s", "c"], "equals": "t"}, {"sum": ["a", "b"], "equals": "s"}]')
    order = order_of(["t", "s", "a", "b", "c"], rules, Conditions())
    assert order.index("a") < order.index("s") < order.index("t")
    assert order.index("c") < order.index("t")


def test_values_of_the_source_are_in_no_refusal() -> None:
    table = pa.table({"n": pa.array([2**63 + 5, 7], pa.uint64())})
    with pytest.raises(ValueError, match="'n' has values beyond 64 bits") as refused:
        check_constraints(parse_constraints('[{"column": "n", "min": 1}]'), table)
    assert str(2**63 + 5) not in str(refused.value)
