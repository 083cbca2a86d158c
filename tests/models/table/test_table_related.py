"""Children follow from their parents and from the sibling before them; every reference has its parent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from models.table.related import ChildModel, Link, fit_children, load_children

LINK = Link(child="customer", parent="id", order="day")


def shop(customers: int = 1_500) -> tuple[pa.Table, pa.Table]:
    """Gold customers order four times as often, on days that go up, always in their own currency; amounts persist."""
    rng = np.random.default_rng(0)
    gold = rng.random(customers) < 0.3
    euro = rng.random(customers) < 0.5
    parents = pa.table(
        {
            "id": [f"C{n:05d}-{n * 7919 % 100_000:05d}" for n in range(customers)],
            "tier": pa.array(np.where(gold, "gold", "basic")),
            "currency": pa.array(np.where(euro, "EUR", "USD")),
        }
    )
    rows = []
    for n in range(customers):
        day, amount = int(rng.integers(19_000, 19_030)), 20.0 if rng.random() < 0.5 else 200.0
        for _ in range(rng.poisson(8 if gold[n] else 2)):
            rows.append(
                (parents["id"][n].as_py(), day, round(amount * rng.uniform(0.8, 1.2), 2), "EUR" if euro[n] else "USD")
            )
            day += int(rng.integers(1, 20))
    rng.shuffle(rows)
    who, days, amounts, currencies = zip(*rows, strict=True)
    children = pa.table(
        {
            "order": pa.array(range(len(rows))),
            "customer": who,
            "day": pa.array(days, pa.int32()).cast(pa.date32()),
            "amount": amounts,
            "currency": currencies,
        }
    )
    return parents, children


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table]:
    return shop()


@pytest.fixture(scope="module")
def fitted(tables: tuple[pa.Table, pa.Table]) -> ChildModel:
    torch.set_num_threads(1)
    return fit_children(*tables, LINK, seed=0, steps=300)


@pytest.fixture(scope="module")
def drawn(fitted: ChildModel, tables: tuple[pa.Table, pa.Table]) -> pa.Table:
    return fitted.sample(tables[0], 1)


def test_every_child_has_its_parent_and_the_source_types(drawn: pa.Table, tables: tuple[pa.Table, pa.Table]) -> None:
    parents, children = tables
    assert drawn.schema.equals(children.schema)
    assert pc.is_in(drawn["customer"], value_set=parents["id"].combine_chunks()).to_numpy().all()
    assert drawn["order"].to_pylist() == sorted(set(drawn["order"].to_pylist()))
    assert not set(drawn["order"].to_pylist()) & set(children["order"].to_pylist())


def test_the_number_of_children_follows_from_the_parent(drawn: pa.Table, tables: tuple[pa.Table, pa.Table]) -> None:
    parents, children = tables
    for tier, mean in (("gold", 8), ("basic", 2)):
        ids = parents.filter(pc.equal(parents["tier"], tier))["id"].combine_chunks()
        real, made = (
            pc.sum(pc.is_in(table["customer"], value_set=ids)).as_py() / len(ids) for table in (children, drawn)
        )
        assert made == pytest.approx(real, rel=0.12)
        assert made == pytest.approx(mean, rel=0.25)
    assert drawn["customer"].combine_chunks().unique().__len__() < parents.num_rows


def test_siblings_come_in_order(drawn: pa.Table, tables: tuple[pa.Table, pa.Table]) -> None:
    frame = drawn.to_pandas()
    days = frame.assign(day=frame["day"].map(lambda day: day.toordinal()))
    gaps = days.groupby("customer", sort=False)["day"].diff().dropna()
    assert gaps.min() >= 1
    assert gaps.max() <= 19
    assert (frame["customer"] != frame["customer"].shift()).sum() == frame["customer"].nunique()


def test_a_child_follows_its_parent_and_the_sibling_before_it(
    drawn: pa.Table, tables: tuple[pa.Table, pa.Table]
) -> None:
    parents = tables[0].to_pandas().rename(columns={"id": "customer", "currency": "own"})
    joined = drawn.to_pandas().merge(parents, on="customer")
    assert (joined["currency"] == joined["own"]).mean() > 0.98
    dear = joined["amount"] > 100
    before = dear.groupby(joined["customer"]).shift()
    follows = (dear == before)[before.notna()]
    assert follows.mean() > 0.9


def test_a_sample_repeats_and_a_saved_model_draws_the_same(
    fitted: ChildModel, drawn: pa.Table, tables: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    assert fitted.sample(tables[0], 1).equals(drawn)
    assert not fitted.sample(tables[0], 2).equals(drawn)
    fitted.save(tmp_path)
    assert load_children(tmp_path).sample(tables[0], 1).equals(drawn)


def test_parents_without_children_and_no_parents_at_all(fitted: ChildModel, tables: tuple[pa.Table, pa.Table]) -> None:
    assert fitted.sample(tables[0].slice(0, 0), 1).num_rows == 0


def test_a_child_without_a_parent_is_refused(tables: tuple[pa.Table, pa.Table]) -> None:
    parents, children = tables
    with pytest.raises(ValueError, match="rows of the child table refer by 'customer' to no 'id'"):
        fit_children(parents.slice(10), children, LINK, seed=0, steps=1)


def test_texts_are_no_order(tables: tuple[pa.Table, pa.Table]) -> None:
    with pytest.raises(ValueError, match="cannot be ordered by 'currency'"):
        fit_children(*tables, Link("customer", "id", "currency"), seed=0, steps=1)


def days(numbers: list[int]) -> pa.Array:
    return pc.strftime(pa.array(numbers, pa.int32()).cast(pa.date32()), format="%Y-%m-%d")


ODD: dict[str, tuple[pa.Table, pa.Table, Link]] = {
    "dates as texts": (
        pa.table({"id": [f"p{n}" for n in range(40)], "size": [n % 5 for n in range(40)]}),
        pa.table({"who": [f"p{n % 40}" for n in range(90)], "day": days(list(range(90)))}),
        Link("who", "id"),
    ),
    "a parent that says nothing": (
        pa.table({"id": list(range(500, 540)), "name": [f"Name {n * 37}" for n in range(40)]}),
        pa.table({"who": [500 + n % 40 for n in range(90)], "n": [n % 7 for n in range(90)]}),
        Link("who", "id"),
    ),
    "narrow orders": (
        pa.table({"id": [f"p{n}" for n in range(40)], "size": [n % 5 for n in range(40)]}),
        pa.table(
            {"who": [f"p{n % 40}" for n in range(120)], "n": pa.array([(n // 40) * 60 for n in range(120)], pa.int8())}
        ),
        Link("who", "id", "n"),
    ),
    "coded references": (
        pa.table(
            {"id": pa.array([f"p{n}" for n in range(40)]).dictionary_encode(), "size": [n % 5 for n in range(40)]}
        ),
        pa.table(
            {
                "who": pa.array([f"p{n % 40}" for n in range(90)]).cast(pa.string_view()),
                "code": pa.array([n % 3 for n in range(90)]).dictionary_encode(),
            }
        ),
        Link("who", "id"),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_children(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    parents, children, link = ODD[name]
    fit_children(parents, children, link, seed=0, steps=20).save(tmp_path)
    made = load_children(tmp_path).sample(parents, 1)
    made.validate(full=True)
    assert made.schema.equals(children.schema)
    assert 20 < made.num_rows < 250
    assert set(made[link.child].to_pylist()) <= set(parents["id"].to_pylist())


def test_one_for_each_parent_may_have_the_reference_as_its_key() -> None:
    parents = pa.table({"id": [f"p{n}" for n in range(60)], "size": [n % 5 for n in range(60)]})
    children = pa.table({"who": [f"p{n}" for n in range(0, 60, 2)], "day": days(list(range(30)))})
    model = fit_children(parents, children, Link("who", "id"), seed=0, steps=20, primary_key="who")
    made = model.sample(parents, 1)
    assert 10 < made.num_rows < 50
    assert len(set(made["who"].to_pylist())) == made.num_rows


def test_many_parents_are_taken_in_chunks_and_keys_run_through(tables: tuple[pa.Table, pa.Table]) -> None:
    parents, children = tables
    model = fit_children(parents, children, LINK, seed=0, steps=20)
    many = pa.table({name: pa.concat_arrays([parents[name].combine_chunks()] * 7) for name in parents.schema.names})
    many = many.set_column(0, "id", pa.array([f"X{n}" for n in range(many.num_rows)]))
    made = model.sample(many, 1)
    assert len(set(made["order"].to_pylist())) == made.num_rows
    assert model.sample(many.slice(0, 8_192), 1).equals(made.slice(0, model.sample(many.slice(0, 8_192), 1).num_rows))


def test_references_of_the_parent_itself_tell_its_children_nothing(tables: tuple[pa.Table, pa.Table]) -> None:
    parents, children = tables
    link = Link("customer", "id", "day", without=["currency"])
    model = fit_children(parents, children, link, seed=0, steps=5)
    assert not any("currency" in name for name in model.counts.codec.schema.names)
