"""Fitting under differential privacy: what is public, what comes out, and that it comes out the same again."""

from __future__ import annotations

import json
import string
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.table.conditions import parse_conditions
from models.table.constraints import parse_constraints
from models.table.model import TableModel, load_model
from models.table.number import Part
from models.table.private.budget import Budget
from models.table.private.fit import fit_private
from models.table.private.network import Leaning, NoisyCounts
from models.table.private.public import Numbers, Values, check_told, public_of
from models.table.private.settings import Privacy, parse_privacy

ROWS = 4_000


def people(rows: int = ROWS, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    rich = rng.random(rows) < 1 / (1 + np.exp(-(age - 50) / 6))
    pay = np.where(rng.random(rows) < 0.2, 0, rng.integers(500, 3_000, rows) + 4_000 * rich)
    return pa.table(
        {
            "id": pa.array(np.arange(rows) + 700),
            "name": ["".join(rng.choice(list(string.ascii_lowercase), 9)) for _ in range(rows)],
            "age": pa.array(age.astype(np.int32)),
            "rich": pa.array(np.where(rich, "yes", "no")).dictionary_encode(),
            "pay": pa.array(pay / 100),
            "since": pa.array(rng.integers(10_000, 19_000, rows).astype(np.int32)).cast(pa.date32()),
            "seen": [f"2024-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in rng.integers(0, 10_000, rows)],
            "owner": pa.array(rng.random(rows) < 0.3),
            "city": pa.array(
                rng.choice(["Bonn", "Köln", "Trier"], rows, p=[0.6, 0.3, 0.1]), mask=rng.random(rows) < 0.1
            ),
        }
    )


DECLARED: dict[str, Any] = {
    "id": {"key": True},
    "name": {"template": "{first_name} {last_name}"},
    "age": {"min": 18, "max": 90},
    "rich": {"values": ["no", "yes"]},
    "pay": {"min": 0, "max": 100, "decimals": 2},
    "since": {"min": "1995-01-01", "max": "2024-12-31"},
    "seen": {"min": "2024-01-01", "max": "2024-12-31"},
    "city": {"values": ["Aachen", "Bonn", "Köln", "Trier"]},
}


def privacy(**more: Any) -> Privacy:
    found = parse_privacy(json.dumps({"epsilon": 5, "delta": 1e-5, "target": "rich", "public": DECLARED} | more))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def model() -> TableModel:
    return fit_private(people(), privacy(), primary_key="id", noise_seed=1)


def drawn(model: TableModel, rows: int = 5_000, seed: int = 3) -> pa.Table:
    return pa.Table.from_batches(model.sample(rows, seed))


def test_every_type_comes_out_as_declared(model: TableModel) -> None:
    made, real = drawn(model), people()
    assert made.schema.equals(real.schema.remove_metadata())
    assert made["id"].to_pylist() == list(range(1, 5_001))
    assert not set(made["name"].to_pylist()) & set(real["name"].to_pylist())
    assert all(" " in name for name in made["name"].to_pylist())
    assert set(made["rich"].to_pylist()) == {"no", "yes"}
    assert set(made["city"].to_pylist()) - {"Aachen"} == {"Bonn", "Köln", "Trier", None}
    assert pc.min(made["age"]).as_py() >= 18
    assert pc.max(made["age"]).as_py() <= 90
    assert date(1995, 1, 1) <= pc.min(made["since"]).as_py()
    assert pc.max(made["since"]).as_py() <= date(2024, 12, 31)
    assert all(datetime.strptime(day, "%Y-%m-%d").year == 2024 for day in made["seen"].to_pylist())
    assert made["city"].null_count / 5_000 == pytest.approx(0.1, abs=0.02)
    assert made["age"].null_count == 0


def test_columns_and_what_hangs_together_are_kept(model: TableModel) -> None:
    made, real = drawn(model), people()
    for table in (made, real):
        old = pc.greater(table["age"], 60)
        rich = pc.equal(table["rich"].cast(pa.string()), "yes")
        assert pc.mean(rich.filter(old)).as_py() > 0.85
        assert pc.mean(rich.filter(pc.less(table["age"], 35))).as_py() < 0.15
    free = [pc.mean(pc.equal(table["pay"], 0.0)).as_py() for table in (made, real)]
    assert free[0] == pytest.approx(free[1], abs=0.03)


def test_less_epsilon_is_further_from_the_source() -> None:
    real = people()

    def distance(epsilon: float) -> float:
        fits = [fit_private(real, privacy(epsilon=epsilon), noise_seed=seed) for seed in range(2)]
        return float(np.mean([-fit.log_prob(real.slice(0, 1_000)).mean() for fit in fits]))

    near, middle, far = distance(8), distance(0.5), distance(0.05)
    assert near < middle < far


def test_the_same_seed_draws_the_same_rows_after_saving_too(model: TableModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = load_model(tmp_path)
    assert drawn(again).equals(drawn(model))
    assert drawn(model, 100).equals(drawn(model).slice(0, 100))
    assert not drawn(model, seed=4).equals(drawn(model))
    assert again.privacy == model.privacy
    assert np.array_equal(again.log_prob(people(50)), model.log_prob(people(50)))


def test_noise_is_new_in_every_fit_unless_its_seed_is_given() -> None:
    table = people(300)
    fits = [fit_private(table, privacy(), noise_seed=seed) for seed in (None, None, 5, 5)]
    rows = [drawn(fit, 200) for fit in fits]
    assert not rows[0].equals(rows[1])
    assert rows[2].equals(rows[3])


def test_what_was_promised_stands_in_the_model(model: TableModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    told = json.loads((tmp_path / "model.json").read_text("utf-8"))["privacy"]
    assert (told["epsilon"], told["delta"], told["relation"]) == (5.0, 1e-5, "add or remove one row")
    assert told["epsilon_spent"] <= 5
    assert told["public"]["from_source"] == []
    assert abs(told["rows"] - ROWS) < 300
    saved = (tmp_path / "model.json").read_bytes() + (tmp_path / "model.safetensors").read_bytes()
    assert not any(name.encode() in saved for name in people()["name"].to_pylist()[:500])


def test_rules_and_conditions_on_the_target_are_kept(model: TableModel) -> None:
    rules = model.constrained(
        parse_constraints('[{"column": "age", "min": 40}, {"column": "city", "not_null": true}]'),
        parse_conditions('{"rich": {"shares": {"yes": 0.5}}}'),
    )
    made = pa.Table.from_batches(model.sample(1_000, 0, rules))
    assert pc.min(made["age"]).as_py() >= 40
    assert made["city"].null_count == 0
    assert made["rich"].to_pylist().count("yes") == 500


def test_values_outside_of_what_is_public_are_drawn_in() -> None:
    table = people(50).append_column("level", pa.array([0.5] * 40 + [np.nan, np.inf, -np.inf, 7e300] + [0.25] * 6))
    told = public_of(table, privacy(public={**DECLARED, "level": {"min": 0, "max": 1}, "age": {"min": 30, "max": 40}}))
    level, age, city = told["level"], told["age"], told["city"]
    assert isinstance(level, Numbers)
    assert isinstance(age, Numbers)
    assert isinstance(city, Values)
    numbers, valid = level.read(table["level"].combine_chunks())
    assert numbers[41:44].tolist() == [1.0, 0.0, 1.0]
    assert (~valid).tolist() == [n == 40 for n in range(50)]
    ages = age.read(table["age"].combine_chunks())[0]
    assert (ages.min(), ages.max()) == (30, 40)
    assert city.read(pa.array(["Bonn", "Rome", None])).to_pylist() == ["Bonn", None, None]


def test_dates_in_another_form_count_as_null() -> None:
    told = public_of(people(5), privacy())["seen"]
    assert isinstance(told, Numbers)
    _, valid = told.read(pa.array(["2024-05-01", "2024-5-1", "1.5.2024", None, "2024-02-30"]))
    assert valid.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("public", "reason"),
    [
        ({k: v for k, v in DECLARED.items() if k not in ("age", "city")}, "public of 'age', 'city'; write min and max"),
        ({**DECLARED, "salary": {"min": 0, "max": 1}}, "'salary', which is no column"),
        ({**DECLARED, "age": {"values": ["a"]}}, "'age' is int32, and a list of values is for texts"),
        ({**DECLARED, "age": {"min": 90, "max": 18}}, "min of 'age' is not below"),
        ({**DECLARED, "age": {"min": "x", "max": 18}}, "min and max of 'age'"),
        ({**DECLARED, "city": {"min": "a", "max": "b"}}, "no dates of one format"),
        ({**DECLARED, "name": {"key": True}}, "a key is whole numbers"),
        ({**DECLARED, "name": {"template": "{frist_name}"}}, "template of 'name'"),
        ({**DECLARED, "age": {"min": 0, "max": 90, "decimals": 1}}, "decimals of 'age'"),
    ],
)
def test_what_is_not_public_is_refused_by_name(public: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_told(people(10).schema, privacy(public=public))


def test_free_text_of_the_source_is_refused_and_the_rest_can_be_taken_from_it() -> None:
    with pytest.raises(ValueError, match="'name' is free text"):
        fit_private(people(200), privacy(public="source"), noise_seed=0)
    told = {"name": {"template": "{first_name}"}, "*": "source"}
    model = fit_private(people(200), privacy(public=told), noise_seed=0)
    assert model.privacy is not None
    assert "age" in model.privacy["public"]["from_source"]
    assert drawn(model, 10)["id"].to_pylist() == list(range(1, 11))  # not counted on from the source's


def test_many_values_and_tables_without_anything_to_learn() -> None:
    values = [f"place {n}" for n in range(600)]
    rng = np.random.default_rng(0)
    table = pa.table({"place": [values[n] for n in np.minimum(rng.geometric(0.02, 5_000), 599)], "one": ["x"] * 5_000})
    told = {"place": {"values": values}, "one": {"values": ["x"], "nulls": False}}
    made = drawn(fit_private(table, Privacy(5, 1e-5, None, told), noise_seed=0))
    assert set(made["one"].to_pylist()) == {"x"}
    shares = [pc.mean(pc.is_in(t["place"], pa.array(values[:50]))).as_py() for t in (table, made)]
    assert shares[1] == pytest.approx(shares[0], abs=0.05)
    with pytest.raises(ValueError, match="all are made up"):
        fit_private(pa.table({"id": [1, 2]}), Privacy(1, 1e-5, None, {"id": {"key": True}}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        ('{"epsilon": 0}', "epsilon is 0"),
        ('{"epsilon": true}', "epsilon is True"),
        ('{"epsilon": 1, "delta": 0.5}', "delta is 0.5"),
        ('{"epsilon": 1, "detla": 1e-5}', "did you mean 'delta'"),
        ('{"epsilon": 1, "public": {"a": {"min": 0}}}', "a range needs both"),
        ('{"epsilon": 1, "public": {"a": {}}}', "nothing of what is needed"),
        ('{"epsilon": 1, "public": {"a": {"values": ["x", "x"]}}}', "twice"),
        ('{"epsilon": 1, "public": {"a": {"values": [1]}}}', "no list of texts"),
        ('{"epsilon": 1, "public": {"*": {"min": 0, "max": 1}}}', 'write "source"'),
        ('{"epsilon": 1, "public": {"a": {"valeus": []}}}', "did you mean 'values'"),
        ('{"epsilon": 1, "public": {"a": {"key": true, "values": ["x"]}}}', "values and key"),
    ],
)
def test_settings_that_cannot_be_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_privacy(text)


def test_settings_are_written_alike_and_read_again() -> None:
    told = privacy()
    assert parse_privacy(told.to_json()) == told
    assert parse_privacy(" ") is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(12))
def test_odd_tables_are_fitted_and_stay_within_what_is_public(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "epsilon_spent", lambda _: 0.0)
    rng = np.random.default_rng(seed)
    rows = int(rng.choice([1, 2, 5, 300]))
    columns: dict[str, Any] = {
        "low": rng.integers(-5, 5, rows),
        "long": rng.integers(0, 10 ** int(rng.integers(1, 12)), rows),
        "float": rng.normal(size=rows),
        "spike": np.where(rng.random(rows) < 0.7, 0.0, np.round(rng.exponential(50, rows), 2)),
        "flag": rng.random(rows) < 0.2,
        "text": rng.choice(list("abcd"), rows),
        "one": ["k"] * rows,
        "gaps": pa.array(rng.integers(0, 9, rows), mask=rng.random(rows) < 0.5),
        "stamp": pa.array(rng.integers(0, 10**9, rows)).cast(pa.timestamp("s")),
        "money": pa.array([f"{cents / 100:.2f}" for cents in rng.integers(0, 9_999, rows)]).cast(pa.decimal128(8, 2)),
        "byte": pa.array(rng.integers(0, 255, rows).astype(np.uint8)),
    }
    kept = [name for name in columns if rng.random() < 0.6] or ["low"]
    table = pa.table(columns).select(kept)
    target = str(rng.choice(kept)) if seed % 2 else None
    epsilon = float(rng.choice([0.01, 0.5, 50]))
    made = drawn(fit_private(table, Privacy(epsilon, 1e-5, target, {"*": "source"}), noise_seed=seed), 300)
    assert made.schema.equals(table.schema)
    for name in {"low", "long", "stamp", "byte", "money"} & set(kept):
        least, most = pc.min_max(table[name]).as_py().values()
        assert least <= pc.min(made[name]).as_py() <= pc.max(made[name]).as_py() <= most


PARTS = [Part(2), Part(3), Part(4), Part(3, gate=2)]


def network() -> NoisyCounts:
    rng = np.random.default_rng(0)
    cells = np.array([[1, 0, 0], [1, 0, 0], [0, 0.3, 0.7], [0, 1, 0]])
    found = NoisyCounts.for_parts(PARTS)
    found.hold(
        [
            Leaning((), np.array([[0.25, 0.75]]), np.arange(2)),
            Leaning((0,), rng.dirichlet(np.ones(3), 2), np.array([0, 1, 0])),
            Leaning((0, 1), rng.dirichlet(np.ones(4), 4), np.array([0, 0, 1, 1])),
            Leaning((2,), cells, np.arange(3)),
        ]
    )
    return found


def test_a_network_draws_what_its_chances_say() -> None:
    net = network()
    tokens = net.sample(200_000, torch.Generator().manual_seed(0))
    every = torch.cartesian_prod(*(torch.arange(part.size) for part in PARTS))
    every = every[((every[:, 2] >= 2) == (every[:, 3] > 0))]
    chances = (-net.score(every).double()).exp()
    assert float(chances.sum()) == pytest.approx(1, abs=1e-5)
    counted = np.array([(tokens == row.numpy()).all(1).mean() for row in every])
    assert counted == pytest.approx(chances.numpy(), abs=0.004)
    inputs = torch.cat([net.embed(place, torch.tensor([1])) for place in range(3)] + [torch.zeros(1, 1)], dim=1)
    assert net.chances(3, inputs).tolist() == [[1.0, 0.0, 0.0]]


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    net = network()
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    save_file(weights, tmp_path / "w")
    same = NoisyCounts.restored(PARTS, 1, 0, load_file(tmp_path / "w"))
    assert torch.equal(same.score(torch.tensor([[1, 2, 3, 1]])), net.score(torch.tensor([[1, 2, 3, 1]])))
    for name, value in (
        ("parents.1", torch.tensor([2])),
        ("groups.0", torch.tensor([0, 5])),
        ("chances.1", weights["chances.1"][:1]),
        ("chances.0", torch.tensor([[0.5, 0.9]])),
    ):
        with pytest.raises(ValueError, match=r"part|groups|chances"):
            NoisyCounts.restored(PARTS, 1, 0, {**weights, name: value})
