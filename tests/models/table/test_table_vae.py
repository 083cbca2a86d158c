"""The code of a row tells of it, codes drawn from the prior are like those of rows, and the score is a true bound."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.table.families import NETWORKS
from models.table.mixture import Mixture
from models.table.model import CHUNK, fit_table, load_model
from models.table.number import Part
from models.table.steps import CODED, FAMILIES
from models.table.training import fit_network
from models.table.vae import CODE, VariationalMLP

PARTS = [Part(12), Part(12), Part(4), Part(3, gate=2), Part(2)]


@pytest.fixture(scope="module")
def fitted() -> VariationalMLP:
    torch.set_num_threads(1)
    network = VariationalMLP.for_parts(PARTS)
    fit_network(network, rows(), 800, seed=0)
    return network


def rows(count: int = 4_000, seed: int = 0) -> np.ndarray:
    """The second part is the first in nine of ten rows; a cell, the fourth, is there with a bin in the third."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 12, (2, count))
    b = np.where(rng.random(count) < 0.9, a, b)
    c = rng.integers(0, 4, count)
    cell = np.where(c >= 2, rng.integers(1, 3, count), 0)
    return np.stack([a, b, c, cell, rng.random(count) < 0.3], axis=1).astype(np.int64)


def test_codes_tell_of_rows_about_what_is_free(fitted: VariationalMLP) -> None:
    tokens = torch.from_numpy(rows(2_000, seed=1))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        codes, density = fitted.codes(tokens, generator)
        told = float((density - fitted.prior.log_prob(codes)).mean())
        own = fitted.nll(tokens, bias=fitted._bias(codes)).sum(0).mean()
        other = fitted.nll(tokens, bias=fitted._bias(codes.roll(1, 0))).sum(0).mean()
    assert told == pytest.approx(fitted.free, abs=0.6)
    assert float(other - own) > fitted.free > 1.5, "a code is of use for its own row, and misleads in any other's"


def test_dependence_is_drawn_and_shares_are_kept(fitted: VariationalMLP) -> None:
    made = fitted.sample(CHUNK, torch.Generator().manual_seed(0))
    assert np.array_equal(made, fitted.sample(CHUNK, torch.Generator().manual_seed(0)))
    assert not np.array_equal(made, fitted.sample(CHUNK, torch.Generator().manual_seed(1)))
    source = rows()
    assert (made[:, 0] == made[:, 1]).mean() == pytest.approx((source[:, 0] == source[:, 1]).mean(), abs=0.05)
    assert ((made[:, 2] >= 2) == (made[:, 3] > 0)).all()
    for place, part in enumerate(PARTS):
        real, found = (np.bincount(tokens[:, place], minlength=part.size) for tokens in (source, made))
        assert np.abs(real / len(source) - found / len(made)).max() < 0.05


def test_the_score_is_a_bound_and_always_the_same() -> None:
    """The likelihoods of all rows there can be add up to no more than one, and to little less after a fit."""
    parts = [Part(3), Part(3), Part(2, gate=2)]
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 1_000)
    b = np.where(rng.random(1_000) < 0.8, a, 0)
    network = VariationalMLP.for_parts(parts)
    fit_network(network, np.stack([a, b, (b == 2).astype(np.int64)], axis=1), 200, seed=0)
    every = torch.tensor([row for row in product(range(3), range(3), range(2)) if (row[1] == 2) == row[2]])
    found = network.score(every)
    assert torch.equal(found, network.score(every))
    assert 0.3 < float((-found).exp().sum()) < 1.05  # few codes are drawn, so that the sum itself is an estimate


def test_chances_multiply_to_the_likelihood_given_the_code(fitted: VariationalMLP) -> None:
    tokens = torch.from_numpy(rows(40))
    codes = torch.randn(40, CODE, generator=torch.Generator().manual_seed(0))
    inputs = torch.cat([*(fitted.embed(n, tokens[:, n]) for n in range(len(PARTS))), codes], dim=1)
    with torch.no_grad():
        losses = fitted.nll(tokens, bias=fitted._bias(codes))
    for place in range(len(PARTS)):
        own = fitted.chances(place, inputs).gather(1, tokens[:, place : place + 1])[:, 0]
        applies = (tokens[:, place] > 0) | (PARTS[place].gate is None)
        assert torch.allclose(-own.log()[applies], losses[place][applies], atol=1e-4)


def test_a_stored_model_scores_and_draws_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.integers(0, 9, 300), "b": rng.random(300)})
    model, fit = fit_table(table, seed=0, steps=15, family="vae")
    assert fit.losses
    model.save(tmp_path)
    again = load_model(tmp_path)
    assert np.array_equal(again.log_prob(table), model.log_prob(table))
    made, remade = (pa.Table.from_batches(one.sample(99, 3)) for one in (model, again))
    assert made.equals(remade)


def test_a_mixture_learns_where_points_lie_and_draws_there() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(2_000, 2, generator=generator) * 0.2 + torch.tensor([3.0, -1.0])
    points[:500] = points[:500] - 5
    mixture = Mixture(8, 2)
    mixture.start(generator)
    optimizer = torch.optim.Adam(mixture.parameters(), lr=0.05)
    for _ in range(900):
        loss = -mixture.log_prob(points).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    drawn = mixture.sample(4_000, generator)
    assert float((drawn[:, 0] < 0.5).float().mean()) == pytest.approx(0.25, abs=0.02)
    grid = torch.cartesian_prod(torch.linspace(-6, 8, 600), torch.linspace(-10, 4, 600))
    with torch.no_grad():
        assert float(mixture.log_prob(grid).exp().sum() * (14 / 599) ** 2) == pytest.approx(1, abs=0.01)
    assert torch.allclose(drawn[drawn[:, 0] > 0.5].std(0), torch.tensor([0.2, 0.2]), atol=0.03)


def test_families_with_codes_are_those_whose_rows_follow_from_one() -> None:
    assert set(CODED) == {name for name, network in NETWORKS.items() if network.code}
    assert set(FAMILIES) == set(NETWORKS) - {"private"}
