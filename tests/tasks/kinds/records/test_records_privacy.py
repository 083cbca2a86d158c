"""The attacks find what leaks (rows learned by heart, rows handed out) and nothing where nothing leaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from benchmarks.privacy import overfitted
from models.table.model import TableModel, fit_table
from tasks.kinds.records.privacy.attacks import attack, attack_model, leaks

ROWS = 1_500
FEW = 250
ON_TABLES = {
    "table.membership.auc",
    "table.inference.risk",
    "table.nearness.share",
    "table.nearness.exact.excess",
    "table.nearness.near.excess",
}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


def people(seed: int, rows: int = ROWS) -> pa.Table:
    """Mixed columns that hang on each other, with nulls; always of the same population."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    city = rng.choice(["Bergen", "Lyon", "Oslo", "Porto", "Rome", "Turin"], rows, p=[0.3, 0.3, 0.2, 0.1, 0.06, 0.04])
    since = [int(day) if rng.random() < 0.8 else None for day in rng.integers(12_000, 20_000, rows)]
    return pa.table(
        {
            "age": age,
            "city": city,
            "income": np.round(age * 300 + rng.gamma(2, 9_000, rows), 2),
            "job": np.where(rng.random(rows) < age / 110, "manager", rng.choice(["clerk", "cook", "driver"], rows)),
            "since": pa.array(since, pa.int32()).cast(pa.date32()),
            "weight": np.round(rng.normal(70, 12, rows), 1),
        }
    )


def drawn(model: TableModel, rows: int) -> pa.Table:
    return pa.Table.from_batches(model.sample(rows, seed=9))


def value(found: Mapping[str, Any], path: str) -> float:
    for step in path.split("."):
        found = found[step]
    return found["value"]  # type: ignore[return-value]


@pytest.fixture(scope="module")
def normal() -> TableModel:
    return fit_table(people(1), seed=0)[0]


@pytest.fixture(scope="module")
def by_heart() -> TableModel:
    return overfitted(people(1, FEW), seed=0, steps=150)


def test_nothing_is_found_in_further_real_rows() -> None:
    found = attack(people(1), people(2), people(3), seed=0)
    assert leaks(found) == {}
    assert value(found, "table.membership.auc") == pytest.approx(0.5, abs=0.04)
    assert value(found, "table.nearness.share") == pytest.approx(0.5, abs=0.06)
    assert value(found, "table.inference.risk") == pytest.approx(0, abs=0.04)


def test_a_bootstrap_of_the_fitted_rows_is_found_by_every_attack() -> None:
    members = people(1)
    copied = members.take(np.random.default_rng(4).integers(ROWS, size=ROWS))
    found = attack(members, people(2), copied, seed=0)
    assert leaks(found).keys() == ON_TABLES
    assert value(found, "table.nearness.share") > 0.95
    assert value(found, "table.nearness.exact.excess") > 0.95
    # 1 − 1/e of the members were drawn
    assert value(found, "table.membership.hits_at_1pct") == pytest.approx(0.63, abs=0.05)
    assert value(found, "table.inference.risk") > 0.5


def test_one_copied_row_in_ten_is_found() -> None:
    members = people(1)
    mixed = pa.concat_tables([people(3, ROWS - ROWS // 10), members.slice(0, ROWS // 10)])
    found = leaks(attack(members, people(2), mixed, seed=0))
    assert {"table.nearness.exact.excess", "table.nearness.near.excess"} <= found.keys()


def test_a_table_drawn_by_a_normal_fit_gives_nothing_away(normal: TableModel) -> None:
    found = attack(people(1), people(2), drawn(normal, ROWS), seed=0)
    assert leaks(found) == {}
    assert value(found, "table.membership.auc") < 0.54
    assert value(found, "table.inference.risk") < 0.04


def test_a_model_that_knows_its_rows_by_heart_is_found(by_heart: TableModel) -> None:
    members, others = people(1, FEW), people(2, 4 * FEW)
    found = attack(members, others, drawn(by_heart, 4 * FEW), seed=0)
    assert leaks(found).keys() >= {"table.membership.auc", "table.inference.risk", "table.nearness.share"}
    assert value(found, "table.membership.auc") > 0.75
    found = attack_model(members, others, by_heart, seed=0)
    assert "model.likelihood.auc" in leaks(found)
    assert value(found, "model.likelihood.auc") > 0.9
    assert value(found, "model.likelihood.hits_at_1pct") > 0.2


def test_the_likelihood_of_a_normal_fit_hardly_tells_members(normal: TableModel) -> None:
    found = attack_model(people(1), people(2), normal, seed=0)
    assert value(found, "model.likelihood.auc") < 0.6
    assert found["model"]["likelihood"]["hits_at_1pct"]["low"] < 0.02


def test_beside_a_reference_the_likelihood_tells_more(normal: TableModel) -> None:
    reference, _ = fit_table(people(6), seed=1)
    found = attack_model(people(1), people(2), normal, seed=0, reference=reference)
    assert value(found, "model.calibrated.auc") > value(found, "model.likelihood.auc")
    # rows that neither model has seen are members of neither
    assert leaks(attack_model(people(5), people(2), normal, seed=0, reference=reference)) == {}


def test_figures_are_json_and_the_same_again() -> None:
    tables = [people(seed, 200) for seed in (1, 2, 3)]
    found = attack(*tables, seed=5, secrets=["city", "income"], asked=100)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert attack(*tables, seed=5, secrets=["city", "income"], asked=100) == found
    guessed = found["table"]["inference"]["secrets"]
    assert [secret["secret"] for secret in guessed] == ["city", "income"]
    assert all(0 <= secret[rate]["value"] <= 1 for secret in guessed for rate in ("attack", "control", "baseline"))


def test_tables_that_cannot_be_compared_are_refused() -> None:
    table = people(1, 50)
    with pytest.raises(ValueError, match="different columns"):
        attack(table, table, table.drop_columns(["age"]), seed=0)
    with pytest.raises(ValueError, match="two rows"):
        attack(table, table.slice(0, 1), table, seed=0)
    with pytest.raises(ValueError, match="salary: no such column"):
        attack(table, table, table, seed=0, secrets=["salary"])
    with pytest.raises(ValueError, match="no column can be compared"):
        attack(*[pa.table({"id": [f"row {n} {part}" for n in range(60)]}) for part in "abc"], seed=0)
