"""Counts in trees: what is said of a part is what adding up the whole joint distribution says."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.table.count_tree import CountTree, Marginals
from models.table.counting import conditional, lean, telling
from models.table.imputing import impute
from models.table.model import CHUNK, fit_table, load_model
from models.table.number import Part

PARTS = [Part(3), Part(2), Part(4), Part(3, gate=2), Part(2), Part(3)]
"""The fourth is a cell of the third, which has two bins."""


def rows_of(count: int = 60, seed: int = 0) -> np.ndarray:
    """Tokens that lean on each other in a chain and a fork; the last part on nothing."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, count)
    b = (a > 0) ^ (rng.random(count) < 0.1)
    c = np.where(rng.random(count) < 0.8, a + b, rng.integers(0, 4, count))
    cell = np.where(c >= 2, rng.integers(1, 3, count), 0)
    d = (c > 1) ^ (rng.random(count) < 0.1)
    return np.stack([a, b, c, cell, d, rng.integers(0, 3, count)], axis=1).astype(np.int64)


def tree(kind: type[CountTree] = CountTree, seed: int = 0) -> CountTree:
    network = kind.for_parts(PARTS)
    network.start(rows_of(seed=seed), torch.Generator())
    return network


def everything(network: CountTree) -> tuple[torch.Tensor, torch.Tensor]:
    """All rows that there can be, and the chance of each."""
    rows = torch.tensor(list(product(*(range(part.size) for part in PARTS))))
    applies = (rows[:, 2] >= 2) == (rows[:, 3] > 0)
    return rows, (-network.score(rows).double()).exp() * applies


@pytest.mark.parametrize("kind", [CountTree, Marginals])
def test_the_chances_of_all_rows_add_up_to_one(kind: type[CountTree]) -> None:
    rows, chances = everything(tree(kind))
    assert float(chances.sum()) == pytest.approx(1, abs=1e-5)
    assert bool((chances > 0).sum() == 3 * 2 * (2 + 2 * 2) * 2 * 3), "no row that the codec may ask for is impossible"
    assert bool(torch.isfinite(tree(kind).score(rows)[(rows[:, 3] == 0)]).all())


@pytest.mark.parametrize("kind", [CountTree, Marginals])
@pytest.mark.parametrize("seed", range(2))
def test_the_chances_of_a_part_are_those_of_the_whole_joint(kind: type[CountTree], seed: int) -> None:
    """Any parts may be known, others in each row."""
    network = tree(kind, seed)
    rows, chances = everything(network)
    possible = rows[chances > 0]
    rng = np.random.default_rng(seed)
    for known in product([False, True], repeat=len(PARTS)):
        given = possible[rng.integers(0, len(possible), 3)]
        each = torch.tensor(known).repeat(3, 1)
        each[2] &= torch.from_numpy(rng.random(len(PARTS)) < 0.6)  # so that rows of one call know different parts
        each[:, 2] |= each[:, 3]
        inputs = torch.cat([network.embed(n, given[:, n]) * each[:, n, None] for n in range(len(PARTS))], 1)
        for place, part in enumerate(PARTS):
            found = network.chances(place, inputs)
            for row in range(3):
                others = each[row].clone()
                others[place] = False
                match = (rows[:, others] == given[row, others]).all(1)
                expected = torch.zeros(part.size, dtype=torch.float64)
                expected.index_add_(0, rows[match, place], chances[match])
                assert torch.allclose(found[row].double(), expected / expected.sum(), atol=1e-5)


def test_what_is_drawn_are_the_chances() -> None:
    network = tree()
    drawn = network.sample(20_000, torch.Generator().manual_seed(1))
    assert np.array_equal(drawn, network.sample(20_000, torch.Generator().manual_seed(1)))
    assert not np.array_equal(drawn, network.sample(20_000, torch.Generator().manual_seed(2)))
    rows, chances = everything(network)
    codes = [np.ravel_multi_index(tokens.T, [part.size for part in PARTS]) for tokens in (rows.numpy(), drawn)]
    counts = np.bincount(codes[1], minlength=len(rows))[codes[0]]
    assert np.abs(counts / 20_000 - chances.numpy()).max() < 0.005


def test_filling_follows_the_chances_given_what_each_row_holds() -> None:
    network = tree()
    tokens = np.tile(rows_of(40), (500, 1))
    known = np.tile(np.random.default_rng(3).random((40, len(PARTS))) < 0.5, (500, 1))
    known[:, 2:4] = known[:, 2:3]
    filled = network.fill(tokens, known, {0}, torch.Generator().manual_seed(0))
    assert np.array_equal(filled[known], tokens[known])
    assert not (filled[:, 0] == 0)[~known[:, 0]].any()
    inputs = torch.from_numpy((tokens + 1) * known).float()
    free = ~known[:, 4]
    expected = network.chances(4, inputs)[free]
    with_null = network.fill(tokens, known, (), torch.Generator().manual_seed(0))
    assert (with_null[free, 4] == 1).mean() == pytest.approx(float(expected[:, 1].mean()), abs=0.02)


def test_a_long_chain_keeps_what_is_far_away() -> None:
    """Two hundred parts, each much like the last: what the first says reaches the last, and nothing overflows."""
    rng = np.random.default_rng(0)
    flips = rng.random((4_000, 200)) < 0.005
    flips[:, 0] = rng.random(4_000) < 0.5
    tokens = (flips.cumsum(1) % 2).astype(np.int64)
    network = CountTree.for_parts([Part(2)] * 200)
    network.start(tokens, torch.Generator())
    inputs = torch.zeros(2, 200)
    inputs[:, 0] = torch.tensor([1.0, 2.0])
    found = network.chances(60, inputs)
    same = (tokens[:, 0] == tokens[:, 60]).mean()
    assert found[0, 0].item() == pytest.approx(same, abs=0.03)
    assert found[1, 1].item() == pytest.approx(same, abs=0.03)
    crowd = torch.ones(1, 200) + (torch.arange(200) % 2)
    assert torch.isfinite(network.chances(7, crowd)).all()


def test_columns_lean_only_where_it_pays() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (500, 3))
    copy = (noise[:, :1] + (rng.random((500, 1)) < 0.1)) % 60
    parts = [Part(60)] * 4
    parents = lean(np.concatenate([noise, copy], axis=1), parts)
    assert parents == [-1, -1, -1, 0], "mutual information as counted would tie sixty values to sixty others"
    independent = np.bincount(noise[:, 0] * 60 + noise[:, 1], minlength=3_600).reshape(60, 60)
    assert telling(independent)[0] <= 0.5
    assert telling(np.diag(np.full(60, 8)))[0] > 0


def test_counts_are_drawn_towards_the_own_shares() -> None:
    """A token that stands above few rows says little, one above many what was counted."""
    counts = np.array([[900, 100], [1, 0], [0, 0]])
    chances = conditional(counts)
    assert np.allclose(chances.sum(1), 1)
    assert chances[0, 1] == pytest.approx(0.1, abs=0.01)
    assert chances[2, 1] == pytest.approx(100.5 / 1_002, rel=1e-6)
    assert 0 < chances[1, 1] <= chances[2, 1]


def test_a_function_of_another_column_stays_one() -> None:
    rng = np.random.default_rng(0)
    cities = rng.choice(["Oslo", "Bergen", "Lyon", "Rome"], 1_000, p=[0.5, 0.3, 0.15, 0.05])
    of = {"Oslo": "NO", "Bergen": "NO", "Lyon": "FR", "Rome": "IT"}
    model, fit = fit_table(
        pa.table({"city": cities, "country": [of[c] for c in cities], "n": rng.random(1_000)}), seed=0, family="bayes"
    )
    made = pa.Table.from_batches(list(model.sample(CHUNK, 1))).to_pandas()
    assert fit.steps == 0
    assert (made["city"].map(of) == made["country"]).mean() > 0.999
    shares = made["city"].value_counts(normalize=True)
    assert shares["Oslo"] == pytest.approx((cities == "Oslo").mean(), abs=0.002)


def test_independent_columns_keep_their_shares_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 2_000)
    model, _ = fit_table(pa.table({"a": a, "b": a, "c": rng.normal(50, 9, 2_000)}), seed=0, family="independent")
    made = pa.Table.from_batches(list(model.sample(CHUNK, 1))).to_pandas()
    together = pd.crosstab(made["a"], made["b"], normalize=True).to_numpy()
    assert np.abs(together - 1 / 16).max() < 0.02
    assert made["c"].mean() == pytest.approx(50, abs=1)
    assert made["c"].std() == pytest.approx(9, abs=0.5)


def test_nulls_are_filled_from_the_rest_of_the_row() -> None:
    rng = np.random.default_rng(0)
    size = rng.integers(0, 3, 3_000)
    whole = pa.table({"size": np.array(["S", "M", "L"])[size], "price": np.round(10.0 * 4.0**size)})
    torn = pa.table(
        {name: pa.array(whole[name].to_pylist(), mask=rng.random(3_000) < 0.15) for name in whole.schema.names}
    )
    filled = impute(fit_table(torn, seed=0, family="bayes")[0], torn, seed=1)
    for name, other in (("size", "price"), ("price", "size")):
        asked = (torn[name].is_null().to_numpy()) & (~torn[other].is_null().to_numpy())
        right, found = (np.array(table[name].to_pylist())[asked] for table in (whole, filled))
        assert (right == found).mean() > 0.99
        assert filled[name].null_count == 0


def test_nulls_where_the_source_had_none_have_a_likelihood() -> None:
    numbers = np.random.default_rng(0).random(400)
    model, _ = fit_table(pa.table({"x": numbers, "y": numbers * 2}), seed=0, family="bayes")
    assert np.isfinite(model.log_prob(pa.table({"x": [None, 0.5], "y": [1.0, None]}))).all()


def test_too_wide_tables_and_damaged_trees_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too wide"):
        CountTree.for_parts([Part(2)] * 2_000)
    table = pa.table({"a": [0, 1, 2] * 20, "b": [0, 1, 0] * 20, "c": ["x", "y"] * 30})
    fit_table(table, seed=0, family="bayes")[0].save(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    circle, beyond = torch.tensor([1, 0, -1]), torch.tensor([7, -1, -1])
    for damaged in (
        {"network.parents": circle, "network.flat": torch.rand(6 + 6 + 2)},
        {"network.parents": beyond},
        {"network.flat": tensors["network.flat"][1:].clone()},
        {"network.flat": -tensors["network.flat"]},
        {"network.flat": tensors["network.flat"] * float("nan")},
    ):
        save_file({**tensors, **damaged}, tmp_path / "model.safetensors")
        with pytest.raises(ValueError, match="cannot be read"):
            load_model(tmp_path)
