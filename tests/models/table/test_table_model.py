"""The model learns what columns have to do with each other, repeats itself exactly, and takes odd tables."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from models.table import model as model_module
from models.table.model import CHUNK, fit_table, load_model
from models.table.network import sizes_for
from models.table.steps import COUNTED, FAMILIES, default_steps

DEPENDENT = [family for family in FAMILIES if family != "independent"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def shop(rows: int = 3_000) -> pa.Table:
    """Orders: the price depends on the size, and what is not delivered has no date."""
    rng = np.random.default_rng(0)
    size = rng.integers(0, 3, rows)
    delivered = rng.random(rows) < 0.6
    days = rng.integers(18_000, 18_400, rows)
    return pa.table(
        {
            "size": pa.array(np.array(["S", "M", "L"])[size]),
            "price": pa.array(np.round(10.0 * 4.0**size + rng.normal(0, 1, rows), 2)),
            "delivered": pa.array(delivered),
            "day": pa.array([int(d) if ok else None for d, ok in zip(days, delivered, strict=True)], pa.int32()).cast(
                pa.date32()
            ),
        }
    )


def drawn(model: model_module.TableModel, rows: int, seed: int = 1) -> pa.Table:
    return pa.Table.from_batches(list(model.sample(rows, seed)))


@pytest.fixture(scope="module", params=DEPENDENT)
def fitted(request: pytest.FixtureRequest) -> model_module.TableModel:
    torch.set_num_threads(1)
    steps = {"transformer": 150, "diffusion": 900, "vae": 400, "gan": 400}.get(request.param)
    return fit_table(shop(), seed=0, steps=steps, family=request.param)[0]


def test_dependence_between_columns_is_learned(fitted: model_module.TableModel) -> None:
    made = drawn(fitted, 2_000).to_pandas()
    assert (made["day"].isna() == ~made["delivered"]).mean() > 0.99
    means = made.groupby("size")["price"].median()
    assert means["S"] == pytest.approx(10, abs=2)
    assert means["M"] == pytest.approx(40, abs=3)
    assert means["L"] == pytest.approx(160, abs=6)
    assert made["delivered"].mean() == pytest.approx(0.6, abs=0.06)


def test_rows_depend_on_seed_and_place_alone(fitted: model_module.TableModel) -> None:
    long = drawn(fitted, CHUNK + 100)
    assert long.num_rows == CHUNK + 100
    assert drawn(fitted, 50).equals(long.slice(0, 50))
    assert drawn(fitted, CHUNK + 7).equals(long.slice(0, CHUNK + 7))
    assert not drawn(fitted, 50, seed=2).equals(long.slice(0, 50))
    assert not long.slice(0, 100).equals(long.slice(CHUNK, 100))


@pytest.mark.parametrize("family", FAMILIES)
def test_fit_and_sample_repeat_to_the_byte(tmp_path: Path, family: str) -> None:
    table = shop(600)
    for name in ("a", "b"):
        fit_table(table, seed=5, steps=20, family=family)[0].save(tmp_path / name)
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    fit_table(table, seed=6, steps=20, family=family)[0].save(tmp_path / "c")
    same = (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "c" / "model.safetensors").read_bytes()
    assert same == (family in COUNTED), "counting draws nothing"


def test_a_stored_model_draws_the_same_rows(fitted: model_module.TableModel, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = load_model(tmp_path)
    assert drawn(again, 500).equals(drawn(fitted, 500))
    assert drawn(again, 500).schema.equals(shop().schema)
    assert np.array_equal(again.log_prob(shop(50)), fitted.log_prob(shop(50)))


def test_likelihoods_of_all_rows_add_up_to_one() -> None:
    rng = np.random.default_rng(2)
    table = pa.table(
        {"a": rng.integers(0, 3, 300), "b": pa.array(rng.choice(["x", "y"], 300)), "c": [None, True] * 150}
    )
    model, fit = fit_table(table, seed=0, steps=30)
    everything = list(product([0, 1, 2], ["x", "y"], [None, True]))
    cells = pa.table({name: pa.array([row[i] for row in everything]) for i, name in enumerate("abc")})
    assert np.exp(model.log_prob(cells)).sum() == pytest.approx(1, abs=1e-4)
    assert fit.steps <= 30


def test_a_diffusion_draws_the_joint_distribution_in_whatever_order_its_parts_come_back() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 4, 2_000)
    table = pa.table({"a": a, "b": (a + (rng.random(2_000) < 0.2)) % 4, "c": rng.normal(10.0 * a, 1)})
    model, _ = fit_table(table, seed=0, steps=600, family="diffusion")
    made = drawn(model, CHUNK).to_pandas()
    real, found = (pd.crosstab(frame["a"], frame["b"], normalize=True) for frame in (table.to_pandas(), made))
    assert (real - found).abs().to_numpy().max() < 0.02
    assert np.allclose(made.groupby("a")["c"].mean(), [0, 10, 20, 30], atol=0.5)


def test_the_bound_of_a_diffusion_is_the_likelihood_where_nothing_depends_on_anything() -> None:
    """Bins, cells and categories that are independent: what the order of coming back weighs wrongly would show."""
    rng = np.random.default_rng(5)
    table = pa.table({"x": rng.random(4_000), "y": pa.array(rng.choice(["a", "b"], 4_000)), "z": rng.random(4_000)})
    model, _ = fit_table(table, seed=0, steps=1, family="diffusion")
    other, _ = fit_table(table, seed=0, steps=1)
    assert model.log_prob(table).mean() == pytest.approx(other.log_prob(table).mean(), rel=0.01)


def test_sampling_follows_the_likelihood() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 4, 2_000)
    table = pa.table({"a": a, "b": (a + (rng.random(2_000) < 0.2)) % 4})
    model, _ = fit_table(table, seed=0, steps=60)
    cells = pa.table({"a": np.repeat(range(4), 4), "b": np.tile(range(4), 4)})
    expected = np.exp(model.log_prob(cells)).reshape(4, 4)
    made = drawn(model, CHUNK).to_pandas()
    counts = np.zeros((4, 4))
    np.add.at(counts, (made["a"], made["b"]), 1)
    assert np.abs(counts / CHUNK - expected).max() < 0.02


@pytest.mark.parametrize(("rows", "family"), list(product([1, 2, 19, 25], FAMILIES)))
def test_tiny_tables_are_taken(rows: int, family: str) -> None:
    table = shop(rows)
    made = drawn(fit_table(table, seed=0, family=family)[0], 30)
    assert made.num_rows == 30
    assert made.schema.equals(table.schema)


@pytest.mark.parametrize("family", FAMILIES)
def test_tables_with_nothing_to_learn_are_taken(family: str) -> None:
    table = pa.table(
        {"id": range(100), "nothing": pa.nulls(100), "same": ["x"] * 100, "code": [f"K{n}" for n in range(100)]}
    )
    made = drawn(fit_table(table, seed=0, family=family)[0], 40)
    assert made["id"].to_pylist() == list(range(100, 140))
    assert made["nothing"].null_count == 40
    assert set(made["same"].to_pylist()) == {"x"}
    assert not set(made["code"].to_pylist()) & set(table["code"].to_pylist())


def test_a_wide_table_gets_a_narrower_network_and_too_wide_is_refused() -> None:
    assert sizes_for(16) == (16, 48)
    width, hidden = sizes_for(400)
    assert width < 16
    assert hidden < 48
    with pytest.raises(ValueError, match="too wide"):
        sizes_for(2_000)


def test_a_primary_key_is_made_anew_and_never_repeats() -> None:
    table = pa.table({"ref": [f"{n % 10}" * 3 + f"{n:03d}" for n in range(200)], "n": [n * 3 % 7 for n in range(200)]})
    made = drawn(fit_table(table, seed=0, steps=1, primary_key="ref")[0], 150)["ref"].to_pylist()
    assert len(set(made)) == 150
    assert not set(made) & set(table["ref"].to_pylist())
    with pytest.raises(ValueError, match="no column 'nope'"):
        fit_table(table, seed=0, steps=1, primary_key="nope")
    with pytest.raises(ValueError, match=r"column 'f'.*primary key must be"):
        fit_table(pa.table({"f": [0.5, 1.5], "g": [1, 2]}), seed=0, steps=1, primary_key="f")


def test_no_rows_and_damaged_models_are_refused(fitted: model_module.TableModel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rows"):
        fit_table(shop(0), seed=0)
    with pytest.raises(ValueError, match="no record model"):
        load_model(tmp_path)
    fitted.save(tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ValueError, match="cannot be read"):
        load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(ValueError, match="cannot be read"):
        load_model(tmp_path)


def test_steps_depend_on_size_alone() -> None:
    assert default_steps(24_421, 15) == default_steps(24_421, 3) == 668
    assert default_steps(10_000, 15) == 274
    assert default_steps(100, 15) == 200
    assert default_steps(10**9, 15) == 6_000
    assert default_steps(5, 15) == 0
    assert default_steps(24_421, 15, "diffusion") == 4_961
    assert default_steps(24_421, 15, "vae") == 2_290
    assert default_steps(24_421, 15, "bayes") == default_steps(24_421, 15, "independent") == 0
